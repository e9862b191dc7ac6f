export default {
  render({ model, el }) {
    const said = h("p", { class: "quiet" });
    const all = h("input", { type: "checkbox", onchange: () => update() });
    const fillIn = h("label", { class: "fill" }, all, "Fill the gaps with what the model would say");
    const legend = h("p", { class: "row quiet legend", "aria-hidden": "true" });
    const hint = "Point at a cell, or walk through them with the arrow keys.";
    const stars = (value) => `${figure(value)} ★`;
    const figure = (value) => String(Math.round(value * 10) / 10);

    const table = crosstab({ name: "Ratings of the busiest users and titles", corner: "User", hint,
      cell(row, column, active) {
        const { users, titles, ratings, predictions, scale: [low, high] } = model.get("_shown");
        const [given, guess] = [ratings[row][column], predictions?.[row][column] ?? null];
        const where = `User ${users[row]}, ${titles[column]}`;
        const share = (value) => Math.min(1, Math.max(0, (value - low) / (high - low)));
        if (given !== null) {
          const says = guess === null ? "" : `; the model says ${guess.toFixed(1)}`;
          return { text: figure(given), share: share(given), label: `${where}: gave ${stars(given)}${says}` };
        }
        if (guess === null) return { text: "", class: "gap", label: `${where}: not rated${predictions ? "" : ", and there is no model yet"}` };
        const shown = active || all.checked;
        return { text: shown ? guess.toFixed(1) : "", class: shown ? "guess" : "gap",
          share: shown ? share(guess) : null, label: `${where}: not rated, would give ${guess.toFixed(1)} ★` };
      } });

    function update() {
      const { users, titles, predictions, scale: [low, high], text } = model.get("_shown");
      said.textContent = text;
      fillIn.hidden = !predictions;
      if (!predictions) all.checked = false;
      const steps = [0, 0.25, 0.5, 0.75, 1].map((share) => {
        const sample = h("span", { class: "sample" }, share === 0 ? figure(low) : share === 1 ? figure(high) : "");
        sample.style.background = mixed(share);
        return sample;
      });
      legend.replaceChildren(...steps, h("span", {}, "a rating"),
        ...(predictions ? [h("em", {}, "3.9"), h("span", {}, "what the model would say")] : []));
      table.draw({ rows: users, columns: titles });
    }
    el.classList.add("ipyfastai", "ipyfastai-ratings-table");
    el.append(said, fillIn, table.element, legend);
    follow(model, ["_shown"], update);
  },
};
