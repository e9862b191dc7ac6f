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
    el.classList.add("ipyfastai", "ipyfastai-mark-buttons");
    el.append(
      h("div", { class: "row all", role: "group", "aria-label": "Mark the selected pictures" },
        button("keep", "Keep", "K"), button("delete", "Delete", "Del"), moves, others, button("unmark", "No mark", "0"),
        h("span", { class: "row" }, button("undo", "Undo", "U"),
          button("redo", "Redo", "⇧U", undefined, { "aria-keyshortcuts": "Shift+U" }))),
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
      for (const one of el.querySelectorAll("button")) {
        const off = !(able[one.dataset.needs] ?? able.mark);
        if (one !== document.activeElement) one.disabled = off; // it would lose the focus
        one.ariaDisabled = String(off);
      }
      others.disabled = !able.mark;
    });
  },
};
