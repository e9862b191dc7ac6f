// A control for each setting, kept for as long as the form: what is being typed is never replaced.
function control(model, { name, label, kind }) {
  const send = (value) => model.send({ type: "set", name, value });
  const hint = h("span", { class: "quiet", id: `hint-${name}-${Math.random()}` });
  const error = h("span", { class: "bad", role: "alert", id: `error-${name}-${Math.random()}` });
  const described = { "aria-describedby": `${hint.id} ${error.id}` };
  const input =
    kind === "choice" ? h("select", { ...described, onchange: () => send(input.value) })
    : kind === "switch" ? h("input", { ...described, type: "checkbox", onchange: () => send(input.checked) })
    : h("input", { ...described, type: "text", inputmode: kind === "whole" ? "numeric" : "decimal", size: "8",
      autocomplete: "off", spellcheck: "false", onchange: () => send(input.value) });
  const element = h("div", { class: `field ${kind}` }, h("label", {}, h("span", {}, label), input), hint, error);
  let shown, offered;
  return {
    element,
    draw(field, locked) {
      if (kind === "choice" && offered !== JSON.stringify(field.choices)) {
        offered = JSON.stringify(field.choices);
        shown = undefined;
        input.replaceChildren(...field.choices.map(([value, text]) => h("option", { value }, text)));
      }
      if (kind === "switch") input.checked = field.value;
      // The kernel's word on an earlier change does not overwrite what is being typed.
      else if (field.value !== shown || document.activeElement !== input) input.value = shown = field.value;
      input.disabled = locked || field.disabled;
      input.setAttribute("aria-invalid", Boolean(field.error));
      hint.textContent = field.hint;
      hint.hidden = Boolean(field.error);
      error.textContent = field.error;
    },
  };
}

export default {
  render({ model, el }) {
    const plot = chart({ name: "Learning rate over the training", x: { label: "epoch", whole: true },
      y: { label: "learning rate", format: (value) => (value ? rate(value) : "0") } });
    const usual = h("div", { class: "fields" });
    const rest = h("div", { class: "fields" });
    const more = h("details", { class: "more" }, h("summary", {}, "More settings"), rest, plot.element);
    const controls = new Map();
    el.classList.add("ipyfastai", "ipyfastai-settings-form");
    const words = h("span", { class: "quiet" });
    const fold = h("details", { open: true }, h("summary", {}, "Settings ", words), usual, more);
    let wasLocked = false;
    el.append(fold);

    follow(model, ["_shown"], () => {
      const { fields: all = [], locked, schedule, summary } = model.get("_shown");
      for (const field of all) {
        if (!controls.has(field.name)) {
          controls.set(field.name, control(model, field));
          (field.usual ? usual : rest).append(controls.get(field.name).element);
        }
        controls.get(field.name).draw(field, locked);
      }
      words.textContent = summary ?? "";
      // While it trains, the training is what counts; who wants to see the settings opens them.
      if (locked && !wasLocked) fold.open = false;
      if (all.some((field) => field.error)) fold.open = true;
      if (all.some((field) => field.error && !field.usual)) more.open = true;
      wasLocked = locked;
      if (!schedule) return;
      const xs = schedule.rates.map((_, index) => index / schedule.batches);
      plot.draw({
        lines: [
          { name: schedule.first_rates.length ? "last layers" : "all layers", xs, ys: schedule.rates },
          ...(schedule.first_rates.length ? [{ name: "first layers", xs, ys: schedule.first_rates }] : []),
        ],
        marks: schedule.frozen ? [{ name: "all layers", x: schedule.frozen }] : [],
      });
    });
    return plot.close;
  },
};
