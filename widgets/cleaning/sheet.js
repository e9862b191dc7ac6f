export default {
  render({ model, el }) {
    const page = `${Math.random()}`;
    const text = h("p", { class: "name", role: "status", tabindex: "-1" });
    const buttons = h("div", { class: "row" });
    const list = h("div", { class: "scroll", tabindex: "0" });
    el.classList.add("ipyfastai", "ipyfastai-sheet");
    el.append(text, buttons, list);

    model.on("msg:custom", ({ type, page: asked, name, text: content }) => {
      if (type === "save" && asked === page) download(name, content);
    });

    follow(model, ["_shown"], () => {
      const { version, label = "", text: said = "", bad, heads = [], lines = [], more = 0, choices = [], pick } = model.get("_shown");
      const focused = el.contains(document.activeElement);
      const send = (type, index) => () => model.send({ type, version, index, page });
      el.hidden = !said && !choices.length && !lines.length;
      if (text.textContent !== said) text.textContent = said;
      text.classList.toggle("bad", Boolean(bad));
      buttons.hidden = !choices.length;
      buttons.replaceChildren(...choices.map(([name, primary], index) =>
        h("button", { type: "button", class: primary ? "primary" : undefined, onclick: send("press", index) }, name)));
      list.hidden = !lines.length;
      list.setAttribute("role", "region");
      list.setAttribute("aria-label", label || said);
      list.replaceChildren();
      if (lines.length) {
        const row = (cells, index) => h("tr", {}, ...cells.map((cell) => h("td", { class: "name" }, cell)),
          pick ? h("td", {}, h("button", { type: "button", "aria-label": `${pick} ${cells[0]}`, onclick: send("pick", index) }, pick)) : null);
        const head = h("tr", {}, ...heads.map((name) => h("th", { scope: "col" }, name)), pick ? h("td", {}) : null);
        list.append(h("table", {}, h("thead", {}, head), h("tbody", {}, ...lines.map(row))));
        if (more) list.append(h("p", { class: "quiet" }, `and ${more.toLocaleString("en")} more`));
      }
      // What was pressed is gone: whoever uses the keyboard goes on from what came of it.
      if (focused && !el.contains(document.activeElement)) text.focus();
    });
  },
};
