export default {
  render({ model, el }) {
    const id = Math.random().toString(36).slice(2);
    const send = (type, value) => model.send({ type, value });
    const name = h("input", { type: "text", id, maxlength: 80, onkeydown: (event) => event.key === "Enter" && keep() });
    const said = h("p", { role: "status", class: "name" });
    const list = h("ul", {});
    const empty = h("p", { class: "quiet" }, "No bookmarks yet. One keeps axes, colours, selection and the view.");
    let asked = "";
    const save = h("button", { type: "button", onclick: () => send("save", (asked = `${Math.random()}`)) }, "Save as a file");
    const file = h("input", { type: "file", accept: ".json,application/json", class: "unseen", tabindex: -1, "aria-hidden": "true", onchange: load });
    const open = h("button", { type: "button", onclick: () => file.click() }, "Load a file");
    el.classList.add("ipyfastai", "ipyfastai-bookmarks");
    el.append(h("label", { for: id }, "Name of a bookmark"), h("div", { class: "row" }, name,
      h("button", { type: "button", onclick: keep }, "Keep")), empty, list, h("div", { class: "row" }, save, open, file), said);

    function keep() {
      if (!name.value.trim()) return name.focus();
      send("keep", name.value);
      name.value = "";
    }
    async function load() {
      const [chosen] = file.files;
      file.value = "";
      if (!chosen) return;
      const { largest } = model.get("_state"); // what one message carries
      if (chosen.size > largest) return tell(`A file of bookmarks has at most ${largest / 1e6} MB.`, true);
      send("load", await chosen.text());
    }
    function tell(text, bad) {
      said.textContent = text && visible(text);
      said.classList.toggle("bad", bad);
    }
    function receive({ type, token, text }) {
      if (type === "file" && token === asked) download("bookmarks.json", text, "application/json");
    }
    model.on("msg:custom", receive);
    follow(model, ["_state"], () => {
      const { names = [], said: text = "", bad = false } = model.get("_state");
      list.replaceChildren(...names.map((one, place) => h("li", { class: "row" },
        h("button", { type: "button", class: "plain name go", onclick: () => send("go", place) }, visible(one)),
        h("button", { type: "button", "aria-label": `Remove ${visible(one)}`, onclick: () => send("forget", place) }, "✕"))));
      empty.hidden = names.length > 0;
      save.hidden = !names.length;
      tell(text, bad);
    });
    return () => model.off("msg:custom", receive);
  },
};
