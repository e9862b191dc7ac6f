const columns = {
  label: "Label", items: "", answers: "Called so", right: "Right", precision: "Precision", recall: "Recall", f1: "F1",
};
const means = {
  answers: "how many were called so", right: "how many of these were called so rightly",
  precision: "the share of what was called so that is so", recall: "the share of what is so that was called so",
  f1: "the harmonic mean of precision and recall",
};
const shares = new Set(["precision", "recall", "f1"]);
const collator = new Intl.Collator(undefined, { numeric: true });

export default {
  render({ model, el }) {
    let order = { key: null, down: false };
    let token;
    const heads = Object.keys(columns).map((key) => h("th", { scope: "col", title: means[key] },
      h("button", { type: "button", class: "plain", onclick: () => {
        order = { key, down: order.key === key ? !order.down : key !== "label" && !shares.has(key) };
        update();
      } })));
    const body = h("tbody", {});
    const table = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Scores of each label" },
      h("table", {}, h("thead", {}, h("tr", {}, ...heads)), body));
    const mean = h("p", { class: "quiet" });
    const save = h("button", { type: "button", class: "plain", onclick: () => {
      token = `${Math.random()}`;
      model.send({ type: "csv", token });
    } }, "Download CSV");
    const name = h("h4", {}, "Each label");
    el.classList.add("ipyfastai", "ipyfastai-class-scores");
    el.append(name, mean, table, save);

    const cell = (key, value) => {
      if (key === "label") return h("th", { scope: "row", class: "name" }, visible(value));
      if (!shares.has(key)) return h("td", {}, value.toLocaleString());
      return value === null ? h("td", { title: "nothing to divide by" }, "–") : h("td", {}, percent(value));
    };

    // What is not known stands last, whichever way the others go.
    function compare(a, b) {
      const [one, two] = [a[order.key], b[order.key]];
      if (order.key === "label") return (order.down ? -1 : 1) * collator.compare(one, two);
      if (one === null || two === null) return (one === null) - (two === null);
      return order.down ? two - one : one - two;
    }

    function update() {
      const scores = model.get("_scores");
      const texts = { ...columns, items: `${scores.noun[0].toUpperCase()}${scores.noun.slice(1)}s` };
      const rows = scores.label.map((_, at) => Object.fromEntries(Object.keys(columns).map((key) => [key, scores[key][at]])));
      if (order.key) rows.sort(compare);
      Object.keys(columns).forEach((key, at) => {
        heads[at].firstChild.textContent = texts[key];
        heads[at].ariaSort = order.key !== key ? "none" : order.down ? "descending" : "ascending";
      });
      body.replaceChildren(...rows.map((row) => h("tr", {}, ...Object.keys(columns).map((key) => cell(key, row[key])))));
      const average = (key) => {
        const known = scores[key].filter((value) => value !== null);
        return known.length ? percent(known.reduce((sum, value) => sum + value, 0) / known.length) : "–";
      };
      mean.textContent = `Mean over the labels: precision ${average("precision")}, recall ${average("recall")}, F1 ${average("f1")}.`;
      el.hidden = !rows.length;
    }

    model.on("msg:custom", (message) => {
      if (message.type === "csv" && message.token === token) download("scores.csv", message.text);
    });
    follow(model, ["_scores"], update);
  },
};
