// One picture of a grid, with what stands under it.

// What stands under a picture, and the same as one sentence.
function described(row, position, count) {
  const lines = [];
  const text = [];
  const add = (line, spoken = line, attributes = {}) => {
    lines.push(h("div", { class: "line", title: line, ...attributes }, line));
    text.push(spoken);
  };
  if (row.label !== undefined) add(row.label ?? "no label", row.label ?? "no label", { class: "line what" });
  if (row.predicted !== undefined) {
    const wrong = row.predicted !== null && row.label !== null && row.predicted !== row.label;
    const sure = typeof row.confidence === "number" ? ` ${percent(row.confidence)}` : "";
    const named = row.predicted ?? "not predicted";
    const mark = row.label === null || row.predicted === null ? "" : wrong ? "✗ " : "✓ ";
    add(`${mark}${named}${sure}`, `${wrong ? "wrongly " : ""}predicted ${named}${sure}`, { class: wrong ? "line wrong" : "line" });
  } else add(row.name.split("/").at(-1), row.name, { class: "line file", title: row.name }); // its end tells pictures apart
  if (row.loss !== undefined) add(row.loss === null ? "no loss" : `loss ${row.loss.toPrecision(3)}`);
  if (row.note !== undefined) add(row.note ?? "", row.note ?? "", { class: "line note" });
  if (row.badge) text.push(row.badge);
  if (row.predicted !== undefined) text.push(row.name);
  return { lines, text: `${text.filter(Boolean).join(", ")}, ${position + 1} of ${count}` };
}

// `open(position)` enlarges it.
function pictureCell(position, { store, column, open }) {
  const image = h("canvas", { width: 0, height: 0, hidden: true, "aria-hidden": "true" }); // the cell has its name
  const problem = h("span", { class: "problem" });
  const badge = h("span", { class: "badge" });
  const enlarge = h("button", { type: "button", class: "enlarge", tabindex: "-1", "aria-label": "Enlarge", title: "Enlarge",
    onclick: (event) => {
      event.stopPropagation();
      open(position);
    } }, "⤢");
  const frame = h("div", { class: "frame" }, image, problem, badge, h("span", { class: "tick", "aria-hidden": "true" }, "✓"), enlarge);
  const caption = h("div", { class: "caption" });
  const element = h("div", { class: "cell", role: "gridcell", tabindex: "-1", "data-position": position,
    "aria-colindex": column + 1 }, frame, caption);
  let drawn, painted;

  return {
    element,
    empty: () => paint(image), // Safari counts the pixels of what is not collected yet
    draw() {
      const row = store.row(position);
      if (row && drawn !== row) {
        drawn = row;
        const { lines, text } = described(row, position, store.count);
        caption.replaceChildren(...(store.lines ? lines : []));
        element.ariaLabel = text;
        badge.textContent = row.badge ?? "";
        badge.hidden = !row.badge;
        element.classList.toggle("marked", Boolean(row.badge));
      }
      const picture = store.picture(position);
      if (painted !== picture) paint(image, (painted = picture));
      const why = store.problem(position);
      problem.hidden = !why;
      problem.textContent = why ? `${row?.name ?? ""}\n${why}` : "";
    },
  };
}
