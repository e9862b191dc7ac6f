export default {
  render({ model, el }) {
    const table = ([header, ...rows]) =>
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, h("table", {},
        h("thead", {}, h("tr", {}, ...header.map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, ...rows.map(([first, ...cells]) =>
          h("tr", {}, h("th", { scope: "row" }, first), ...cells.map((text) => h("td", {}, text)))))));
    const section = ([title, content]) =>
      h("section", {}, h("h4", {}, title), Array.isArray(content) ? table(content) : h("p", {}, content));
    el.classList.add("ipyfastai", "ipyfastai-card-view");
    el.append(h("details", {}, h("summary", {}, model.get("title")), ...model.get("_sections").map(section)));
  },
};
