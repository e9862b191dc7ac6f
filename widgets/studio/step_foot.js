export default {
  render({ model, el }) {
    const buttons = h("div", { class: "row" });
    const whys = h("p", { class: "quiet", role: "status" });
    el.classList.add("ipyfastai", "ipyfastai-step-foot");
    el.append(buttons, whys);

    follow(model, ["_ways"], () => {
      const ways = Object.entries(model.get("_ways"));
      const known = [...buttons.children].map((button) => button.dataset.name);
      if (known.join() !== ways.map(([name]) => name).join()) {
        buttons.replaceChildren(...ways.map(([name], place) => {
          const press = () => model.send({ type: "press", name });
          return h("button", { type: "button", class: place ? undefined : "primary", "data-name": name, onclick: press });
        }));
      }
      ways.forEach(([, { text, why }], place) => {
        const button = buttons.children[place];
        button.textContent = text;
        button.disabled = Boolean(why);
      });
      whys.textContent = [...new Set(ways.map(([, { why }]) => why).filter(Boolean))].join(" ");
      el.hidden = !ways.length;
    });
  },
};
