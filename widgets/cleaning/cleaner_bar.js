const NAMES = { view: "Show", split: "Split", order: "Order" };

export default {
  render({ model, el }) {
    const selects = Object.entries(NAMES).map(([name, text]) => {
      const select = h("select", { "aria-label": text, onchange: () => model.send({ type: "choose", name, index: select.selectedIndex }) });
      return { name, select, label: h("label", {}, h("span", { class: "quiet" }, text), select) };
    });
    const lines = {
      counts: h("p", { class: "counts" }),
      hint: h("p", { class: "quiet" }),
      done: h("p", { class: "quiet name", role: "status" }),
      problem: h("p", { class: "problem name", role: "alert" }),
    };
    el.classList.add("ipyfastai", "ipyfastai-cleaner-bar");
    el.append(h("div", { class: "row" }, ...selects.map(({ label }) => label)), ...Object.values(lines));

    follow(model, ["_choices", "_chosen"], () => {
      for (const { name, select, label } of selects) {
        const options = model.get("_choices")[name] ?? [];
        label.hidden = options.length < 2;
        options.forEach((text, index) => {
          const option = select.options[index] ?? select.appendChild(h("option", {}));
          if (option.textContent !== text) option.textContent = text;
        });
        select.options.length = options.length;
        select.selectedIndex = model.get("_chosen")[name] ?? 0;
      }
    });
    follow(model, ["_said"], () => {
      for (const [name, line] of Object.entries(lines)) {
        const text = model.get("_said")[name] ?? "";
        if (line.textContent !== text) line.textContent = text; // what did not change is not read out again
        if (name !== "done") line.hidden = !text; // its room stays, so that nothing jumps under a finger
      }
    });
  },
};
