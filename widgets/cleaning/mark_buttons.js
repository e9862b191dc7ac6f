const FEW = 9; // labels with a button of their own; more of them stand in a list too

export default {
  render({ model, el }) {
    const button = (action, text, key, index, attributes = {}) =>
      h("button", { type: "button", "data-needs": action, "aria-keyshortcuts": key, ...attributes,
        onclick: () => model.send({ type: "act", action, index }) }, text, h("kbd", { "aria-hidden": "true" }, key));
    const moves = h("span", { class: "moves" });
    const others = h("select", { "aria-label": "Move to another class", onchange: () => {
      if (others.selectedIndex > 0) model.send({ type: "act", action: "move", index: Number(others.value) });
      others.selectedIndex = 0;
    } });
    const key = (name) => h("kbd", {}, name);

    // A class that nobody has thought of before.
    const page = `${Math.random()}`; // whose name is answered
    const open = h("button", { type: "button", "data-needs": "mark", "aria-expanded": "false", onclick: () => naming(true) }, "→ New class…");
    const name = h("input", { type: "text", autocomplete: "off", spellcheck: "false", "aria-label": "Name of the new class" });
    const problem = h("span", { class: "problem name", role: "alert" });
    const move = h("button", { type: "submit", class: "primary" }, "Move there");
    const form = h("form", { class: "row", hidden: true, onsubmit: (event) => {
      event.preventDefault();
      model.send({ type: "name", text: name.value, page });
    } }, h("label", { class: "row" }, h("span", {}, "New class"), name), move,
      h("button", { type: "button", onclick: () => naming(false) }, "Cancel"), problem);
    form.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") naming(false);
    });
    function naming(now) {
      const inside = form.contains(document.activeElement);
      form.hidden = !now;
      open.ariaExpanded = String(now);
      name.value = problem.textContent = "";
      if (now) name.focus();
      else if (inside) open.focus();
    }
    const heard = ({ type, page: asked, problem: why }) => {
      if (type !== "named" || asked !== page) return;
      if (!why) return naming(false);
      problem.textContent = why;
      name.focus();
    };
    model.on("msg:custom", heard);

    el.classList.add("ipyfastai", "ipyfastai-mark-buttons");
    el.append(
      h("div", { class: "row all", role: "group", "aria-label": "Mark the selected pictures" },
        button("keep", "Keep", "K"), button("delete", "Delete", "Del"), moves, others, open, button("unmark", "No mark", "0"),
        h("span", { class: "row" }, button("undo", "Undo", "U"),
          button("redo", "Redo", "⇧U", undefined, { "aria-keyshortcuts": "Shift+U" }))),
      form,
      h("p", { class: "quiet keys" }, "In the pictures: arrows select (with Shift several, with Ctrl and Space one by one), ",
        key("1"), " to ", key("9"), " move, ", key("Delete"), " or ", key("D"), " deletes, ", key("K"), " keeps, ", key("0"),
        " takes a mark away, ", key("U"), " undoes, ", key("Shift+U"), " or ", key("Ctrl+Y"), " redoes, ", key("Enter"),
        " enlarges. After a key the next picture is selected."),
    );

    follow(model, ["_labels", "_keys", "_able"], () => {
      const [labels, keys, able] = ["_labels", "_keys", "_able"].map((name) => model.get(name));
      const shown = JSON.stringify([labels, keys]);
      if (el.dataset.shows !== shown) { // else whoever has just pressed one would lose it
        el.dataset.shows = shown;
        moves.replaceChildren(...Object.entries(keys).map(([key, index]) =>
          button("move", `→ ${labels[index]}`, key, index, { "aria-label": `Move to ${labels[index]}` })));
        others.hidden = labels.length <= FEW;
        others.replaceChildren(h("option", { value: "" }, "→ another class…"),
          ...labels.map((label, index) => h("option", { value: index }, label)));
      }
      for (const one of el.querySelectorAll(".all button")) {
        const off = !(able[one.dataset.needs] ?? able.mark);
        if (one !== document.activeElement) one.disabled = off; // it would lose the focus
        one.ariaDisabled = String(off);
      }
      others.disabled = move.disabled = !able.mark;
    });
    return () => model.off("msg:custom", heard);
  },
};
