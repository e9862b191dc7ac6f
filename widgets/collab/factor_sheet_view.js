const VIEWS = { predictions: "Predictions", ratings: "Ratings", errors: "Squared errors" };

export default {
  render({ model, el }) {
    const send = (type, value) => model.send({ type, value });
    const slider = (text, attributes, type, words) => {
      const shown = h("span", { class: "shown" });
      const input = h("input", { type: "range", "aria-label": text, ...attributes, oninput: () => {
        shown.textContent = words(input.valueAsNumber);
        send(type, input.valueAsNumber);
      } });
      return { element: h("label", { class: "slider" }, h("span", {}, text), input, shown), input, shown };
    };
    const rateWords = (power) => String(Number((10 ** power).toPrecision(2)));
    const { rates, most } = model.get("_shown");
    const rate = slider("Learning rate", { min: rates[0], max: rates[1], step: 0.01 }, "rate", rateWords);
    const factors = slider("Factors", { min: 1, max: most, step: 1 }, "factors", String);
    const biases = h("input", { type: "checkbox", onchange: () => send("biases", biases.checked) });
    const seed = h("input", { type: "number", min: 0, max: 2 ** 32 - 1, step: 1,
      onchange: () => seed.value !== "" && seed.checkValidity() && send("seed", seed.valueAsNumber) });
    const step = h("button", { type: "button", onclick: () => send("step") }, "One step");
    const run = h("button", { type: "button", class: "primary", onclick: () => send(model.get("_shown").running ? "pause" : "run") });
    const begin = h("button", { type: "button", onclick: () => send("begin") }, "Begin anew");
    const note = h("p", { class: "bad", role: "alert" });
    const where = h("p", { class: "where" });
    let shownView = "predictions";
    const views = h("div", { class: "row choice", role: "group", "aria-label": "What the cells show" },
      ...Object.entries(VIEWS).map(([name, text]) => h("button", { type: "button", "data-view": name, onclick: () => {
        shownView = name;
        update();
      } }, text)));
    const plot = chart({ name: "Mean squared error", x: { label: "step", whole: true }, y: { label: "mean squared error" } });

    const table = crosstab({ name: "Factors, and what they predict", corner: "User",
      hint: "Point at a cell to see its sum, or walk through them with the arrow keys. Gaps are no part of the error.",
      cell(row, column) {
        const { users, titles, ratings, predictions, left, top, scale: [low, high] } = model.get("_shown");
        const [given, guess] = [ratings[row][column], predictions[row][column]];
        const square = given === null ? null : (guess - given) ** 2;
        const sum = left.map(({ name, values }, line) => {
          const [user, item] = [values[row], top[line].values[column]].map((value) => value.toFixed(2).replace("-", "−"));
          return name === "bias" ? `${user} + ${item}` : `${user} × ${item}`;
        }).join(" + ");
        const end = given === null ? "not rated, no part of the error"
          : `rated ${given}, squared error ${square.toFixed(2)}`;
        const label = `User ${users[row]}, ${titles[column]}: ${sum} = ${guess.toFixed(2)}; ${end}`;
        const share = (value) => Math.min(1, Math.max(0, (value - low) / (high - low)));
        if (shownView === "predictions") return { text: guess.toFixed(1), share: share(guess), class: given === null ? "guess" : "", label };
        if (given === null) return { text: "", class: "gap", label };
        if (shownView === "ratings") return { text: String(given), share: share(given), label };
        return { text: square.toFixed(square < 9.95 ? 1 : 0), share: 0.5 - Math.min(0.5, square / 8), label };
      } });

    function update() {
      const shown = model.get("_shown");
      const show = (one, value, words) => {
        if (document.activeElement !== one.input) one.input.value = value;
        one.shown.textContent = words(one.input.valueAsNumber);
      };
      show(rate, Math.log10(shown.rate), rateWords);
      show(factors, shown.factors, String);
      biases.checked = shown.biases;
      if (document.activeElement !== seed) seed.value = shown.seed;
      run.textContent = shown.running ? "Pause" : "Run";
      note.textContent = shown.note;
      where.textContent = `Step ${shown.step}: mean squared error ${figure(shown.loss[1].at(-1))}`;
      for (const button of views.children) button.ariaPressed = String(button.dataset.view === shownView);
      table.draw({ rows: shown.users, columns: shown.titles, left: shown.left, top: shown.top });
      plot.draw({ lines: [{ name: "mean squared error", xs: shown.loss[0], ys: shown.loss[1], dots: shown.step < 2 }] });
    }
    el.classList.add("ipyfastai", "ipyfastai-factor-sheet");
    el.append(
      h("h3", {}, "Learned from ratings"),
      h("p", { class: "quiet" }, "Nobody says what the factors mean: random numbers for each user and each title are changed, step by step, until their products come near the ratings."),
      h("div", { class: "controls" }, rate.element, factors.element,
        h("label", { class: "check" }, biases, "Biases"), h("label", { class: "check" }, "Seed", seed)),
      h("div", { class: "row" }, run, step, begin), note, where, views, table.element, plot.element);
    follow(model, ["_shown"], update);
    return () => plot.close();
  },
};
