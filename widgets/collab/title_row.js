// A title with its stars, and what can be done with it: one line of a list, which stays the same element as long
// as the title is in that list.
function titleRow(row, steps, { rate, more = [] }) {
  const rank = h("span", { class: "rank", "aria-hidden": "true" });
  const figure = h("span", { class: "figure" });
  const title = h("span", { class: "name title" }, row.title);
  const genres = h("span", { class: "quiet" }, row.genres);
  const why = h("p", { class: "reason" });
  const refusal = h("p", { class: "refusal", role: "alert" });
  const own = stars(row.title, steps, (step) => rate(row, step));
  const buttons = h("span", { class: "row tools" }, ...more.map(({ text, label, pressed, opens }) =>
    h("button", { type: "button", class: "plain", "aria-label": `${label}: ${row.title}`,
      "aria-expanded": opens ? "false" : undefined, onclick: ({ currentTarget }) => pressed(row, currentTarget) }, text)));
  const panel = h("div", { class: "panel" });
  panel.hidden = true;
  const element = h("li", { class: "title-row" }, rank, h("div", { class: "about" }, h("div", {}, title, " ", genres), why, refusal),
    figure, h("div", { class: "row own" }, own.element, buttons), panel);
  return {
    element,
    panel,
    title,
    stars: own,
    buttons,
    row,
    close() {
      panel.hidden = true;
      for (const button of buttons.querySelectorAll("[aria-expanded]")) button.ariaExpanded = "false";
    },
    refuse(text) {
      refusal.textContent = text;
      own.refuse();
    },
    draw(now, place) {
      refusal.textContent = "";
      rank.textContent = place === undefined ? "" : String(place + 1);
      figure.textContent = now.predicted === undefined ? "" : `${now.predicted.toFixed(1)} ★`;
      figure.ariaLabel = now.predicted === undefined ? null : `predicted ${now.predicted.toFixed(1)} stars`;
      why.textContent = (now.reason ?? now.hint ?? "").replaceAll(" ★", "\u00a0★"); // on one line
      own.show(now.rating);
    },
  };
}

// The rows of a list by item: those that remain keep their elements and the focus.
function titleRows(list, make) {
  const rows = new Map();
  return {
    rows,
    show(wanted, draw) {
      const items = new Set(wanted.map(({ item }) => item));
      for (const [item, { element }] of rows) {
        if (items.has(item)) continue;
        element.remove();
        rows.delete(item);
      }
      let next = list.firstChild; // what is in its place is not touched
      wanted.forEach((one, place) => {
        if (!rows.has(one.item)) rows.set(one.item, make(one));
        const { element } = rows.get(one.item);
        if (element === next) next = next.nextSibling;
        else list.insertBefore(element, next);
        draw(rows.get(one.item), one, place);
      });
    },
  };
}
