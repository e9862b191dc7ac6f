export default {
  render({ model, el }) {
    const inputs = new Map();
    el.classList.add("ipyfastai", "ipyfastai-words");

    function field({ name, label, hint, lines }) {
      const id = `words-${name}-${Math.random().toString(36).slice(2)}`;
      const typed = ({ target }) => model.send({ type: "typed", name, text: target.value });
      const options = { id, "aria-describedby": `${id}-hint`, maxlength: "10000", onchange: typed };
      const input = lines > 1 ? h("textarea", { rows: lines, ...options }) : h("input", { type: "text", ...options });
      const note = h("p", { id: `${id}-hint`, class: "quiet" });
      inputs.set(name, [input, note]);
      return h("div", { class: "field" }, h("label", { for: id }, label), input, note);
    }

    follow(model, ["_shown"], () => {
      const { fields } = model.get("_shown");
      if (!inputs.size) el.append(...fields.map(field));
      for (const { name, value, hint, error } of fields) {
        const [input, note] = inputs.get(name);
        if (input.value !== value && input !== document.activeElement) input.value = value;
        input.setAttribute("aria-invalid", String(Boolean(error)));
        if (error && note.textContent !== error) input.focus();
        note.textContent = error || hint;
        note.classList.toggle("bad", Boolean(error));
      }
    });
  },
};
