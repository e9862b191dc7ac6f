// A control for each field, kept for as long as the field: what is being typed is never replaced.
function control(model, { name, label, kind, rows, longest }) {
  const set = (value) => model.send({ type: "set", name, value });
  const id = `${name}-${Math.random().toString(36).slice(2)}`;
  const hint = h("p", { class: "quiet", id: `hint-${id}` });
  const problem = h("p", { class: "problem", id: `problem-${id}`, role: "alert" });
  const described = { "aria-describedby": `${hint.id} ${problem.id}` };
  const written = { ...described, maxlength: longest };
  let waiting;
  const soon = (send) => () => { // not at each letter
    clearTimeout(waiting);
    waiting = setTimeout(send, 250);
  };
  const now = (send) => () => {
    clearTimeout(waiting);
    send();
  };
  const typed = (input) => {
    const send = () => input.isConnected && set(input.value);
    input.addEventListener("input", soon(send));
    input.addEventListener("change", now(send));
    return {
      input,
      draw({ value }) {
        if (document.activeElement !== input && input.value !== value) input.value = value;
      },
    };
  };
  const kinds = {
    text: () => typed(h("input", { type: "text", ...written })),
    pattern: () => typed(h("input", { type: "text", class: "code", spellcheck: "false", autocomplete: "off", autocapitalize: "off", ...written })),
    lines: () => typed(h("textarea", { rows, ...written })),
    number() {
      const input = h("input", { type: "number", ...described });
      const send = () => input.value !== "" && input.checkValidity() && set(Number(input.value));
      input.addEventListener("input", soon(send));
      input.addEventListener("change", now(() => input.value !== "" && input.checkValidity() ? send() : undefined));
      return {
        input,
        draw({ value, low, high, step }) {
          [input.min, input.max, input.step] = [low, high, step];
          if (document.activeElement !== input) input.value = value;
        },
      };
    },
    check() {
      const input = h("input", { type: "checkbox", onchange: () => set(input.checked), ...described });
      return { input, draw: ({ value }) => (input.checked = value) };
    },
    select() {
      const input = h("select", { onchange: () => set(input.selectedIndex), ...described });
      let drawn;
      return {
        input,
        draw({ options, value }) {
          if (drawn !== JSON.stringify(options)) input.replaceChildren(...options.map((text) => h("option", {}, text)));
          drawn = JSON.stringify(options);
          input.selectedIndex = value;
        },
      };
    },
    choice: () => several(h("div", { class: "row choices", role: "group", "aria-label": label, ...described }),
      (text, place) => h("button", { type: "button", onclick: () => set(place) }, text),
      (button, place, value) => {
        button.ariaPressed = String(place === value);
        button.classList.toggle("chosen", place === value);
      }),
    several() {
      const box = h("fieldset", { class: "row", ...described }, h("legend", {}, label));
      return several(box, (text, place) => {
        const tick = h("input", { type: "checkbox", onchange: () =>
          set([...box.querySelectorAll("input")].flatMap((one, at) => (one.checked ? [at] : []))) });
        return h("label", { class: "check name" }, tick, text);
      }, (line, place, value) => (line.firstChild.checked = value.includes(place)));
    },
    button() {
      const input = h("button", { type: "button", onclick: () => model.send({ type: "press", name }) }, label);
      return { input, draw: ({ primary }) => input.classList.toggle("primary", primary) };
    },
  };
  function several(box, make, mark) {
    let drawn;
    return {
      input: box,
      draw({ options, value }) {
        if (drawn !== JSON.stringify(options)) {
          box.replaceChildren(...[...box.children].filter((child) => child.tagName === "LEGEND"), ...options.map(make));
          drawn = JSON.stringify(options);
        }
        [...box.children].filter((child) => child.tagName !== "LEGEND").forEach((child, place) => mark(child, place, value));
      },
    };
  }
  const { input, draw } = kinds[kind]();
  const bare = ["choice", "several", "button"].includes(kind);
  // Buttons have their title as the name of their group: it is not read out twice.
  const words = kind === "choice" ? h("p", { class: "quiet", "aria-hidden": "true" }, label) : h("label", { for: id }, label);
  if (!bare) input.id = id;
  const named = kind === "choice" ? [words, input] : bare ? [input] : kind === "check" ? [h("div", { class: "row" }, input, words)] : [words, input];
  const element = h("div", { class: `field ${kind}` }, ...named, hint, problem);
  return {
    element,
    draw(field) {
      draw(field);
      words.textContent = field.label;
      if (kind === "button") input.textContent = field.label;
      if ("disabled" in input) input.disabled = field.disabled;
      hint.textContent = field.hint;
      hint.hidden = !field.hint;
      if (problem.textContent !== field.problem) problem.textContent = field.problem;
      problem.hidden = !field.problem;
      if (!bare) input.setAttribute("aria-invalid", String(Boolean(field.problem)));
    },
  };
}

export default {
  render({ model, el }) {
    const box = h("div", { class: "fields", role: "group" });
    const controls = new Map(); // name and kind -> its control
    el.classList.add("ipyfastai", "ipyfastai-form");
    el.append(box);
    follow(model, ["_fields"], () => {
      const { label = "", fields = [] } = model.get("_fields");
      if (label) box.setAttribute("aria-label", label);
      const key = (field) => `${field.kind} ${field.name}`;
      const shown = new Set(fields.map(key));
      for (const [name, { element }] of controls) {
        if (shown.has(name)) continue;
        element.remove();
        controls.delete(name);
      }
      let next = box.firstChild; // what is in its place is not touched, and so keeps the focus
      for (const field of fields) {
        if (!controls.has(key(field))) controls.set(key(field), control(model, field));
        const { element, draw } = controls.get(key(field));
        draw(field);
        if (element === next) next = next.nextSibling;
        else box.insertBefore(element, next);
      }
      el.hidden = !fields.length;
    });
  },
};
