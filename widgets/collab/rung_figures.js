const WHICH = { validation: "Mean squared error of what was held back", training: "Training loss, smoothed" };
const COLUMNS = { mse: "MSE", rmse: "RMSE", mae: "MAE" };

export default {
  render({ model, el }) {
    const said = h("p", { class: "said", role: "status" });
    const which = h("select", { onchange: () => curves() }, ...Object.entries(WHICH).map(([value, text]) => h("option", { value }, text)));
    const choose = h("label", { class: "row" }, "Show", which);
    const plot = chart({ name: "The ladder", x: { label: "epoch", whole: true }, y: { label: "mean squared error" } });
    const head = h("tr", {});
    const body = h("tbody", {});
    const table = h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Figures of the rungs" },
      h("table", {}, h("thead", {}, head), body));
    const notes = h("div", { class: "quiet notes" });
    el.classList.add("ipyfastai", "ipyfastai-rung-figures");
    el.append(said, choose, plot.element, table, notes);

    function curves() {
      const { said: text = "", lines = [], trivial = null } = model.get("_curves");
      if (said.textContent !== text) said.textContent = text;
      const name = which.value;
      const drawn = lines.map((line, style) => ({ name: line.name, style, xs: line[name][0],
        ys: line[name][1].map((value) => value ?? NaN), dots: name === "validation" })).filter((line) => line.xs.length);
      const last = Math.max(1, ...drawn.map((line) => line.xs.at(-1)));
      if (trivial !== null && drawn.length) drawn.push({ name: "means of users and items", style: 5, faint: drawn.length > 5,
        xs: [Math.min(...drawn.map((line) => line.xs[0])), last], ys: [trivial, trivial] });
      choose.hidden = !lines.some((line) => line.training[0].length);
      plot.draw({ lines: drawn });
    }

    function figures() {
      const { columns = [], rows = [], protocol = "" } = model.get("_table");
      table.hidden = notes.hidden = !rows.length;
      head.replaceChildren(h("th", { scope: "col" }, "Model"), ...columns.map((name) => h("th", { scope: "col" }, COLUMNS[name] ?? name.replace("ndcg", "NDCG"))));
      body.replaceChildren(...rows.map((row) => h("tr", { class: row.trained ? "" : "baseline" },
        h("th", { scope: "row" }, row.name, row.told ? h("span", { class: "quiet" }, row.told) : null),
        ...row.figures.map((value, place) => h("td", { class: row.best[place] ? "best" : "" }, value === null ? "–" : value.toFixed(3))))));
      notes.replaceChildren(h("p", {}, "The best of each column is bold. A rung is measured as it was at the end of its best epoch by what was held back."),
        h("p", { class: "name" }, protocol));
    }
    follow(model, ["_curves"], curves);
    follow(model, ["_table"], figures);
    return () => plot.close();
  },
};
