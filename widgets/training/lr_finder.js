export default {
  render({ model, el }) {
    const send = (type, more = {}) => model.send({ type, ...more });
    const plot = chart({
      name: "Loss by learning rate",
      x: { label: "learning rate", log: true, format: rate },
      y: { label: "loss" },
      picked: (index) => send("pick", { index }),
      hint: "Click the curve, or move along it with the arrow keys, to pick a rate.",
    });
    const notice = h("p", { class: "warn" });
    const list = h("ul", { class: "suggestions" });
    const field = h("input", { type: "text", inputmode: "decimal", size: "10", autocomplete: "off",
      spellcheck: "false" });
    field.addEventListener("change", () => send("type", { text: field.value }));
    const picked = h("span", { role: "status" });
    const chosen = h("label", { class: "row" }, "Learning rate", field, picked);
    const problem = h("p", { class: "bad", role: "alert" });
    const clear = h("button", { type: "button", class: "plain", onclick: () => send("clear") }, "Clear the curves");
    const undo = h("button", { type: "button", class: "plain", onclick: () => send("undo") }, "Undo clear");
    el.classList.add("ipyfastai", "ipyfastai-lr-curves");
    const meaning = h("p", { class: "quiet" },
      "How far each step of the training goes: too small learns slowly, too large not at all.");
    el.append(meaning, plot.element, notice, list, chosen, problem, h("div", { class: "row" }, clear, undo));

    let value = null;
    let offered = "";
    follow(model, ["_shown"], () => {
      const shown = { curves: [], suggestions: [], value: null, problem: "", ...model.get("_shown") };
      const { curves, suggestions } = shown;
      plot.draw({
        lines: curves.map(({ name, number, rates, losses }) =>
          ({ name, xs: rates, ys: losses, style: (number - 1) % STYLES })),
        marks: suggestions.map((one) => ({ name: one.name, x: one.rate, y: one.loss })),
        at: shown.value,
        limits: shown.limits,
      });
      notice.textContent = shown.notice ?? "";
      if (JSON.stringify(suggestions) !== offered) { // else the button that was just pressed would lose the focus
        offered = JSON.stringify(suggestions);
        list.replaceChildren(...suggestions.map((one) => h("li", {},
          h("button", { type: "button", "aria-label": `Use ${rate(one.rate)}, ${one.name}`,
            onclick: () => send("take", { text: one.rule }) }, `Use ${rate(one.rate)}`),
          h("span", {}, ...sentence(one.text)))));
      }
      if (shown.value !== value || (!shown.problem && document.activeElement !== field)) {
        value = shown.value;
        field.value = value === null ? "" : Number(value.toPrecision(4)).toExponential().replace("e+", "e");
      }
      field.setAttribute("aria-invalid", Boolean(shown.problem));
      picked.textContent = value === null || shown.problem ? "" : `${rate(value)} is picked.`;
      problem.textContent = shown.problem;
      const focused = [clear, undo].includes(document.activeElement);
      clear.hidden = !curves.length;
      undo.hidden = !shown.undo;
      if (focused) [clear, undo].find((one) => !one.hidden)?.focus();
    });
    return plot.close;
  },
};
