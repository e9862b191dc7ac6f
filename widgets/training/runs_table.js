const HEADS = { name: "Run", state: "State", epochs: "Epochs", best: "Best", settings: "Settings", seconds: "Time" };
const collator = new Intl.Collator(undefined, { numeric: true });
const WORDS = { valid_loss: "validation loss", train_loss: "training loss, smoothed" };
const wordsOf = (name) => WORDS[name] ?? name.replaceAll("_", " ");

function rowOf(row, metrics, toggle) {
  const box = h("input", { type: "checkbox", "aria-label": `Compare the run of ${row.name}`,
    onchange: () => toggle(row.name, box.checked) });
  box.disabled = row.state === "damaged";
  const shown = (value) => (value === null || value === undefined ? "–" : figure(value));
  const time = row.seconds === null || row.seconds === undefined ? "–" : duration(row.seconds);
  const tr = h("tr", {}, h("td", {}, box), h("th", { scope: "row" }, row.name),
    h("td", { class: row.state }, row.state), h("td", {}, row.epochs ?? "–"), h("td", {}, String(row.best ?? "–")),
    ...metrics.map((name) => h("td", {}, shown(row.figures?.[name]))),
    h("td", {}, time), h("td", { class: "settings" }, ...sentence(row.settings ?? "")));
  return { tr, box };
}

export default {
  render({ model, el }) {
    const send = (type, more = {}) => () => model.send({ type, ...more });
    const title = h("h4", { tabindex: "-1" });
    const refresh = h("button", { type: "button", onclick: send("refresh") }, "Refresh");
    const remove = h("button", { type: "button", onclick: () => {
      ticked = null;
      model.send({ type: "delete", names: model.get("_shown").chosen });
    } });
    const undo = h("button", { type: "button", class: "plain", onclick: send("undo") });
    const empty = h("button", { type: "button", class: "plain", onclick: send("empty") });
    const problem = h("p", { class: "bad", role: "alert" });
    const head = h("tr", {});
    const body = h("tbody", {});
    const table = h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Runs" },
      h("table", {}, h("thead", {}, head), body));
    const what = h("select", {});
    const compare = h("label", { class: "row" }, "Compare", what);
    const said = h("p", { class: "quiet", role: "status" });
    const plots = h("div", {});
    el.classList.add("ipyfastai", "ipyfastai-runs-table");
    el.append(title, h("div", { class: "row" }, refresh, remove, undo, empty), problem, table, said, compare, plots);

    let plot = null;
    let drawn = "";
    let order = { key: null, down: false };
    let lines = new Map();

    let ticked = null; // what was ticked here and the kernel has not said yet
    const toggle = (name, on) => {
      const others = (ticked ?? model.get("_shown").chosen).filter((other) => other !== name);
      ticked = on ? [...others, name] : others;
      model.send({ type: "choose", names: ticked });
    };
    what.addEventListener("change", () => curves());

    function curves() {
      const { curves: chosen = [], metrics = [] } = model.get("_shown");
      const names = ["valid_loss", "train_loss", ...metrics.filter((name) => name !== "valid_loss")];
      if ([...what.options].map((one) => one.value).join() !== names.join()) {
        const { value } = what;
        what.replaceChildren(...names.map((name) => h("option", { value: name }, wordsOf(name))));
        if (names.includes(value)) what.value = value;
      }
      const name = what.value;
      if (plot?.for !== name) {
        plot?.close();
        const title = `${wordsOf(name)} by epoch`;
        plot = { for: name, ...chart({ name: title, x: { label: "epoch", whole: true }, y: { label: wordsOf(name) } }) };
        plots.replaceChildren(plot.element);
      }
      compare.hidden = plots.hidden = !chosen.length;
      plot.draw({ lines: chosen.map((run, style) => ({ run, style })).filter(({ run }) => run.curves[name])
        .map(({ run, style }) => ({ name: run.name, style, xs: run.curves[name][0],
          ys: run.curves[name][1].map((value) => value ?? NaN), dots: name !== "train_loss" })) });
    }

    const value = (row, key) => (key in HEADS ? row[key] : row.figures?.[key]) ?? null;
    function sorted(rows) {
      if (!order.key) return rows;
      const known = rows.filter((row) => value(row, order.key) !== null);
      const compareTwo = (a, b) => (typeof a === "number" ? a - b : collator.compare(a, b));
      known.sort((a, b) => compareTwo(value(a, order.key), value(b, order.key)) * (order.down ? -1 : 1));
      return [...known, ...rows.filter((row) => value(row, order.key) === null)]; // what is not known comes last
    }

    function rows(shown) {
      const { rows: all, metrics } = shown;
      const text = JSON.stringify([all, metrics, order]);
      if (text === drawn) return; // a box that was just ticked keeps the focus
      drawn = text;
      const keys = ["name", "state", "epochs", "best", ...metrics, "seconds", "settings"];
      const focus = head.contains(document.activeElement) ? document.activeElement.dataset.key : null;
      head.replaceChildren(h("th", {}, h("span", { class: "unseen" }, "Compare")), ...keys.map((key) =>
        h("th", { scope: "col", "aria-sort": order.key !== key ? "none" : order.down ? "descending" : "ascending" },
          h("button", { type: "button", class: "plain", "data-key": key, onclick: () => {
            order = { key, down: order.key === key ? !order.down : false };
            update();
          } }, HEADS[key] ?? wordsOf(key)))));
      if (focus) [...head.querySelectorAll("button")].find((one) => one.dataset.key === focus)?.focus();
      lines = new Map(sorted(all).map((row) => [row.name, rowOf(row, metrics, toggle)]));
      body.replaceChildren(...[...lines.values()].map(({ tr }) => tr));
    }

    function update() {
      const shown = { rows: [], metrics: [], chosen: [], undo: 0, kept: 0, problem: "", ...model.get("_shown") };
      rows(shown);
      if (ticked?.join() === shown.chosen.join()) ticked = null;
      lines.forEach(({ box }, name) => (box.checked = (ticked ?? shown.chosen).includes(name)));
      const many = (count) => `${count} run${count === 1 ? "" : "s"}`;
      title.textContent = shown.rows.length ? many(shown.rows.length) : "No runs yet: each training leaves one here.";
      table.hidden = !shown.rows.length;
      remove.hidden = !shown.chosen.length;
      remove.textContent = `Delete ${many(shown.chosen.length)}`;
      undo.hidden = !shown.undo;
      undo.textContent = `Bring back ${many(shown.undo)}`;
      empty.hidden = !shown.kept;
      empty.textContent = `Remove what was deleted for good (${bytes(shown.kept)})`;
      problem.textContent = shown.problem;
      const [drawn, chosen] = [shown.curves?.length ?? 0, shown.chosen.length];
      said.textContent = !shown.rows.length || (chosen && drawn === chosen) ? ""
        : chosen ? `The first ${drawn} of ${chosen} are drawn.` : "Tick runs to lay their curves over each other.";
      curves();
    }
    follow(model, ["_shown"], update);
    return () => plot?.close();
  },
};
