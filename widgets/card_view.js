export default {
  render({ model, el }) {
    const table = (title, [header = [], ...rows]) =>
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, h("table", {},
        h("thead", {}, h("tr", {}, ...header.map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, ...rows.map(([first, ...cells]) =>
          h("tr", {}, h("th", { scope: "row" }, first), ...cells.map((text) => h("td", {}, text)))))));
    const section = ([title, content]) =>
      h("section", {}, h("h4", {}, title), Array.isArray(content) ? table(title, content) : h("p", {}, content));
    const summary = h("summary", {});
    const fold = h("details", {}, summary);
    el.classList.add("ipyfastai", "ipyfastai-card-view");
    el.append(fold);
    follow(model, ["title", "_sections"], () => {
      summary.textContent = model.get("title");
      fold.replaceChildren(summary, ...model.get("_sections").map(section));
    });
  },
};
