const signs = { bad: "✕", warn: "!", good: "✓" };
const said = { bad: "Problem: ", warn: "Warning: ", good: "" };

function drawTable({ title, header, rows, count, bar, folded }, open) {
  const most = bar === null ? 1 : Math.max(...rows.map((row) => row[bar]), 1e-9);
  const cell = (value, column) => {
    const figure = typeof value === "number";
    const td = h("td", { class: figure ? "figure" : "name" }, figure ? value.toLocaleString("en") : value);
    if (column === bar) td.style.setProperty("--share", String(value / most));
    td.classList.toggle("bar", column === bar);
    return td;
  };
  const more = count - rows.length;
  const table = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    h("table", {}, h("thead", {}, h("tr", {}, ...header.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell))))),
    more > 0 ? h("p", { class: "quiet" }, `and ${more.toLocaleString("en")} more`) : null);
  const all = h("details", { open: open ?? !folded, "data-title": title }, h("summary", {}, title), table);
  return all;
}

export default {
  render({ model, el }) {
    const list = h("ul", { class: "sentences" });
    const tables = h("div", {});
    el.classList.add("ipyfastai", "ipyfastai-findings");
    el.append(h("div", { role: "status" }, list), tables);
    follow(model, ["_shown"], () => {
      const { sentences = [], tables: all = [] } = model.get("_shown");
      list.replaceChildren(...sentences.map(([how, text]) => h("li", { class: `${how} name` },
        h("span", { class: "sign", "aria-hidden": "true" }, signs[how]), h("span", { class: "unseen" }, said[how]), h("span", {}, text))));
      // What was opened stays open, by its place: titles tell counts, which change.
      const open = [...tables.children].map((one) => one.open);
      const same = open.length === all.length;
      tables.replaceChildren(...all.map((table, place) => drawTable(table, same ? open[place] : undefined)));
      el.hidden = !sentences.length && !all.length;
    });
  },
};
