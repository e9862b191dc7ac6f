const numbers = { counts: "Counts", label: "Shares of each label", predicted: "Shares of each answer" };
const orders = { vocab: "As the model has them", alphabet: "By the alphabet", similar: "Confused ones together" };
const collator = new Intl.Collator(undefined, { numeric: true });
const FEW = 8; // labels up to which nobody needs to search or zoom
const PAIRS = 30; // of the most confused, until somebody asks for all
const types = { csv: "text/csv;charset=utf-8", png: "image/png", svg: "image/svg+xml" };

// What the counts say, once for each time that they come.
function summary(model) {
  const bytes = model.get("_cells");
  const names = model.get("_labels").map(visible);
  const rows = names.map(() => []);
  const [items, answers] = [names.map(() => 0), names.map(() => 0)];
  const counts = new Map();
  const key = (row, column) => row * names.length + column;
  for (let at = 0; at < bytes.byteLength; at += 12) {
    const [row, column, count] = [0, 4, 8].map((offset) => bytes.getInt32(at + offset, true));
    rows[row].push([column, count]);
    counts.set(key(row, column), count);
    items[row] += count;
    answers[column] += count;
  }
  const confusedWith = names.map(() => []);
  const pairs = [];
  rows.forEach((cells, row) => cells.forEach(([column, count]) => {
    if (row === column) return;
    pairs.push([row, column, count]);
    confusedWith[row].push(column);
    confusedWith[column].push(row);
  }));
  pairs.sort((a, b) => b[2] - a[2]);
  const total = items.reduce((sum, count) => sum + count, 0);
  const wrong = pairs.reduce((sum, [, , count]) => sum + count, 0);
  return { names, rows, items, answers, confusedWith, pairs, total, wrong, count: (...cell) => counts.get(key(...cell)) ?? 0 };
}

export default {
  render({ model, el }) {
    const noun = model.get("_noun");
    let facts, version; // of the counts that came last
    let all = false; // pairs
    let token;
    const send = (type, content = {}) => model.send({ type, ...content });
    const some = (count) => `${count.toLocaleString()} ${noun}${count === 1 ? "" : "s"}`;
    const share = (part, whole) => (whole ? percent(part / whole) : "");

    function sentence(row, column) {
      const [count, names] = [facts.count(row, column), facts.names];
      if (!count) return `No ${noun} of ${names[row]} was called ${names[column]}.`;
      const were = `${some(count)} of ${names[row]} ${count === 1 ? "was" : "were"} ${row === column ? "rightly " : ""}called ${names[column]}`;
      return model.get("_state").by === "predicted"
        ? `${were}, ${share(count, facts.answers[column])} of the ${facts.answers[column].toLocaleString()} called so.`
        : `${were}, ${share(count, facts.items[row])} of the ${facts.items[row].toLocaleString()}.`;
    }

    const choose = (row, column) => send("cell", { row, column });
    const plot = matrix({
      name: "Confusion matrix: a row for each label, a column for each answer",
      sentence,
      choose,
      looked: (...cell) => (said.textContent = cell.length ? sentence(...cell) : hint()),
    });
    const hint = () => (facts.total
      ? `Choose a cell to see its ${noun}s: by a click, or by arrow keys and Enter.`
      : `There are no ${noun}s in this split.`);
    const [splits, showSplits] = select("Split", (value) => send("split", { value }));
    const [by, showBy] = select("Numbers", (index) => send("by", { value: Object.keys(numbers)[index] }));
    const [order, showOrder] = select("Order of the labels", (index) => send("order", { value: Object.keys(orders)[index] }));
    const search = h("input", { type: "text", placeholder: "Find labels", "aria-label": "Find labels", oninput: () => update() });
    const mistaken = h("input", { type: "checkbox", onchange: () => update() });
    const only = h("label", { class: "row only" }, mistaken, "Only labels with mistakes");
    const zoom = h("span", { class: "row zoom", role: "group", "aria-label": "Size of the cells" },
      ...[["−", "Smaller cells", 1 / 1.3], ["Whole", "The whole matrix", "fit"], ["+", "Larger cells", 1.3]].map(([text, name, factor]) =>
        h("button", { type: "button", "aria-label": name, onclick: () => plot.zoom(factor) }, text)));
    const file = (kind, text) => h("button", { type: "button", class: "plain", onclick: () => {
      token = `${Math.random()}`;
      send("file", { kind, token, rows: shown });
    } }, text);
    const files = h("div", { class: "row files" },
      file("csv", "Download CSV"), file("png", "Figure as PNG"), file("svg", "Figure as SVG"));
    const right = h("p", { class: "right" });
    const said = h("p", { class: "said name", role: "status" });
    const none = h("p", { class: "none" });
    const list = h("ol", {});
    const more = h("button", { type: "button", class: "plain", onclick: () => {
      all = true;
      update();
    } });
    const fold = h("section", { class: "pairs", "aria-label": "Most confused" }, h("h4", {}, "Most confused"), list, more);
    const chosen = h("h4", { class: "name" });
    const leave = h("button", { type: "button", class: "plain", onclick: () => {
      send("clear");
      plot.element.querySelector("button").focus();
    } }, "Close");
    const choice = h("div", { class: "row choice" }, chosen, leave);
    const side = h("div", { class: "left" }, plot.element, none, files);
    let shown = [];
    el.classList.add("ipyfastai", "ipyfastai-confusion-view");
    el.append(plot.palette, right, h("div", { class: "row" }, splits, by, order, search, only, zoom), said,
      h("div", { class: "both" }, side, fold), choice);

    // Those that match, and what they are confused with.
    function filtered() {
      const text = search.value.trim().toLowerCase();
      const labels = facts.names.map((_, label) => label);
      const { order: by } = model.get("_state");
      const similar = model.get("_similar");
      if (by === "alphabet") labels.sort((a, b) => collator.compare(facts.names[a], facts.names[b]));
      else if (by === "similar" && similar.length === labels.length) labels.splice(0, labels.length, ...similar);
      const found = new Set();
      for (const label of labels) {
        if (!facts.names[label].toLowerCase().includes(text)) continue;
        found.add(label);
        if (text) facts.confusedWith[label].forEach((other) => found.add(other));
      }
      return labels.filter((label) => found.has(label) && (!mistaken.checked || facts.confusedWith[label].length));
    }

    function drawPairs() {
      const here = new Set(shown);
      const pairs = facts.pairs.filter(([row, column]) => here.has(row) && here.has(column));
      const { cell } = model.get("_state");
      list.replaceChildren(...pairs.slice(0, all ? undefined : PAIRS).map(([row, column, count]) => {
        const current = cell?.[0] === row && cell?.[1] === column;
        return h("li", {}, h("button", {
          type: "button", class: "pair plain", "aria-label": sentence(row, column), "aria-current": current && "true",
          onclick: () => choose(row, column),
        }, h("span", { class: "name" }, facts.names[row], h("span", { class: "arrow" }, " → "), facts.names[column]),
        h("span", { class: "figure" }, count.toLocaleString())));
      }));
      if (!pairs.length) list.replaceChildren(h("li", { class: "quiet" }, facts.total ? "Nothing is confused here." : ""));
      more.hidden = all || pairs.length <= PAIRS;
      more.textContent = `Show all ${pairs.length.toLocaleString()}`;
    }

    function update() {
      if (model.get("_state").version !== version) {
        version = model.get("_state").version;
        facts = summary(model);
        all = false;
      }
      const { splits: known, split, by: shares, order: ordered, cell } = model.get("_state");
      showSplits(known.map(([name, count]) => `${name} (${count.toLocaleString()})`), split);
      showBy(Object.values(numbers), Object.keys(numbers).indexOf(shares));
      showOrder(Object.values(orders), Object.keys(orders).indexOf(ordered));
      const many = facts.names.length > FEW;
      splits.hidden = known.length < 2;
      search.hidden = only.hidden = zoom.hidden = !many;
      order.hidden = facts.names.length < 3;
      shown = filtered();
      const part = (row, column, count) =>
        (shares === "counts" ? count : count / (shares === "label" ? facts.items[row] : facts.answers[column]));
      const most = [0, 0]; // of mistakes, of what is right
      const here = new Set(shown);
      for (const row of shown) for (const [column, count] of facts.rows[row])
        if (here.has(column)) most[+(row === column)] = Math.max(most[+(row === column)], part(row, column, count));
      plot.draw({
        names: facts.names,
        shown,
        rows: facts.rows,
        text: (row, column, count) =>
          (shares === "counts" ? count.toLocaleString() : percent(part(row, column, count)).replace(/\s/g, "")),
        weight: (row, column, count) => Math.sqrt(part(row, column, count) / most[+(row === column)]),
        chosen: cell,
      });
      side.style.maxWidth = `max(22rem, ${plot.widest()}px)`; // few labels leave the pairs beside them
      right.textContent = facts.total
        ? `${(facts.total - facts.wrong).toLocaleString()} of ${some(facts.total)} right (${share(facts.total - facts.wrong, facts.total)})`
        : "";
      none.textContent = shown.length ? "" : facts.names.length ? "No label is like that." : "The table has no labels.";
      none.hidden = !none.textContent;
      plot.element.hidden = files.hidden = !shown.length;
      if (!plot.element.contains(document.activeElement)) said.textContent = hint();
      choice.hidden = !cell;
      chosen.textContent = cell ? sentence(...cell) : "";
      drawPairs();
    }

    model.on("msg:custom", (message, buffers) => {
      if (message.type === "file" && message.token === token)
        download(`confusion_matrix.${message.kind}`, buffers[0], types[message.kind]);
    });
    follow(model, ["_similar", "_state"], update);
    return plot.close;
  },
};
