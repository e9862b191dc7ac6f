export default {
  render({ model, el }) {
    let urls = [];
    const forget = () => urls.forEach((url) => URL.revokeObjectURL(url));
    const row = h("div", { class: "row" });
    el.classList.add("ipyfastai", "ipyfastai-examples");
    el.append(row);
    follow(model, ["_names", "_thumbnails"], () => {
      forget();
      urls = model.get("_thumbnails").map((bytes) => URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" })));
      const buttons = model.get("_names").map((name, index) =>
        h("button", { type: "button", title: name, "aria-label": `Try the example ${name}`, onclick: () => model.send({ index }) },
          h("img", { src: urls[index], alt: "" })));
      row.replaceChildren(h("span", { class: "quiet" }, "No photo at hand? Try one of these:"), ...buttons);
      el.hidden = !buttons.length;
    });
    return forget;
  },
};
