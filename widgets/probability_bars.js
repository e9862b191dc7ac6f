export default {
  render({ model, el }) {
    const list = h("ul", { "aria-label": "Probability of each label" });
    el.classList.add("ipyfastai", "ipyfastai-probability-bars");
    el.append(list);

    follow(model, ["value", "top"], () => {
      const sorted = Object.entries(model.get("value")).sort(([, a], [, b]) => b - a);
      const shown = sorted.slice(0, model.get("top"));
      list.replaceChildren(...shown.map(([label, probability]) => {
        const fill = h("span", { class: "fill" });
        fill.style.width = `${Math.min(1, probability) * 100}%`;
        return h("li", {},
          h("span", { class: "name" }, label),
          h("span", { class: "track", "aria-hidden": "true" }, fill),
          h("span", { class: "figure" }, percent(probability)));
      }));
      if (sorted.length > shown.length)
        list.append(h("li", { class: "quiet" }, `and ${sorted.length - shown.length} less probable`));
      el.hidden = !sorted.length;
    });
  },
};
