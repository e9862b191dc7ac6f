// A table of users (rows) and titles (columns) that is walked through cell by cell, with pointer or arrow keys.
//
//   const table = crosstab({ name: "Ratings", corner: "User", cell: (row, column, active) => ({ text, label, share }) });
//   el.append(table.element);
//   table.draw({ rows: ["414", "599"], columns: ["Forrest Gump (1994)"], top: [], left: [] });
//
// A cell's `share` from 0 to 1 colours it (null: not at all), its `label` is read out and stands below the table
// when the cell is pointed at or has the focus; `class` may be added. Lines of numbers may stand above and before the
// cells: `top` has one for each row of them ({ name, values: one for each column }), `left` one for each column.

const mixed = (share) => {
  const [colour, part] = share < 0.5 ? ["var(--warn)", 1 - 2 * share] : ["var(--accent)", 2 * share - 1];
  return `color-mix(in srgb, ${colour} ${Math.round(45 * Math.min(1, part))}%, var(--paper))`;
};

function fill(td, { text, share = null, class: name = "", label = null }) {
  if (td.textContent !== text) td.textContent = text;
  if (td.className !== name) td.className = name;
  const colour = share === null ? "" : mixed(share);
  if (td.dataset.colour !== colour) td.style.background = td.dataset.colour = colour;
  if (label !== null && td.ariaLabel !== label) td.ariaLabel = label;
}

// Numbers of a model: coloured by their sign.
const factorCell = (value) => ({ text: value.toFixed(2), share: 0.5 + Math.max(-1, Math.min(1, value / 2)) / 2, class: "factor" });

function crosstab({ name, corner, hint, cell }) {
  const head = h("thead", {});
  const body = h("tbody", {});
  const table = h("table", { role: "grid", "aria-label": name }, head, body);
  const scroll = h("div", { class: "crosstab" }, table);
  const reading = h("p", { class: "reading name", "aria-hidden": "true" }, hint);
  const element = h("div", { class: "crosstab-box" }, scroll, reading);
  let cells = []; // by row and column
  let above = []; // the numbers above, by row and column
  let before = []; // and those before the cells
  let built = "";
  let here = [0, 0]; // where the arrow keys are
  let told = null; // the cell that is pointed at or has the focus

  function tell(place) {
    const last = told;
    told = place;
    for (const one of [last, place]) if (one) fillCell(...one);
    reading.textContent = place ? cell(...place, true).label : hint;
  }
  const fillCell = (row, column) => {
    const active = told !== null && told[0] === row && told[1] === column;
    if (cells[row]?.[column]) fill(cells[row][column], cell(row, column, active));
  };
  const placeOf = (event) => {
    const td = event.target.closest?.("td[data-place]");
    return td ? td.dataset.place.split(" ").map(Number) : null;
  };
  const focused = () => (body.contains(document.activeElement) ? here : null);
  function go(row, column) {
    cells[here[0]]?.[here[1]]?.setAttribute("tabindex", "-1");
    here = [row, column];
    cells[row][column].setAttribute("tabindex", "0");
    cells[row][column].focus();
  }
  table.addEventListener("pointerover", (event) => tell(placeOf(event) ?? focused()));
  table.addEventListener("pointerleave", () => tell(focused()));
  table.addEventListener("focusin", (event) => {
    const place = placeOf(event);
    if (!place) return;
    if (place.join() !== here.join()) go(...place);
    tell(place);
  });
  table.addEventListener("focusout", () => tell(null));
  table.addEventListener("keydown", (event) => {
    const [row, column] = here;
    const [lastRow, lastColumn] = [cells.length - 1, cells[0].length - 1];
    const steps = { ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1], Home: [event.ctrlKey ? 0 : row, 0],
      End: [event.ctrlKey ? lastRow : row, lastColumn], PageUp: [0, column], PageDown: [lastRow, column] };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const [toRow, toColumn] = steps[event.key];
    go(Math.min(Math.max(toRow, 0), lastRow), Math.min(Math.max(toColumn, 0), lastColumn));
  });

  function build({ rows, columns, top, left }) {
    const title = (text) => h("th", { scope: "col", title: text }, h("span", {}, text));
    const lines = left.map(({ name: text }) => h("th", { scope: "col", class: "factor" }, h("span", {}, text)));
    above = top.map(({ values }) => values.map(() => h("td", {})));
    head.replaceChildren(
      h("tr", {}, h("th", { class: "corner", scope: "col" }, corner), ...lines, ...columns.map(title)),
      ...top.map(({ name: text }, line) => h("tr", { class: "factors" }, h("th", { scope: "row" }, text),
        ...left.map(() => h("td", { class: "none" })), ...above[line])),
    );
    before = left.map(() => rows.map(() => h("td", {})));
    cells = rows.map((_, row) => columns.map((_, column) =>
      h("td", { "data-place": `${row} ${column}`, tabindex: "-1" })));
    body.replaceChildren(...rows.map((text, row) => h("tr", {}, h("th", { scope: "row", title: text }, text),
      ...before.map((line) => line[row]), ...cells[row])));
    here = [Math.min(here[0], rows.length - 1), Math.min(here[1], columns.length - 1)];
    cells[here[0]]?.[here[1]]?.setAttribute("tabindex", "0");
    told = null;
  }

  return {
    element,
    draw({ rows, columns, top = [], left = [] }) {
      const shape = JSON.stringify([rows, columns, top.map((line) => line.name), left.map((line) => line.name)]);
      if (shape !== built) build({ rows, columns, top, left });
      built = shape;
      top.forEach(({ values }, line) => values.forEach((value, column) => fill(above[line][column], factorCell(value))));
      left.forEach(({ values }, line) => values.forEach((value, row) => fill(before[line][row], factorCell(value))));
      cells.forEach((line, row) => line.forEach((_, column) => fillCell(row, column)));
      reading.textContent = told ? cell(...told, true).label : hint;
    },
  };
}
