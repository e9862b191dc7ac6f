export default {
  render({ model, el }) {
    const urls = model.get("_thumbnails").map((bytes) => URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" })));
    const buttons = model.get("_names").map((name, index) =>
      h("button", { type: "button", title: name, "aria-label": `Try the example ${name}`, onclick: () => model.send({ index }) },
        h("img", { src: urls[index], alt: "" })));
    el.classList.add("ipyfastai", "ipyfastai-examples");
    el.append(h("div", { class: "row" }, h("span", { class: "quiet" }, "No photo at hand? Try one of these:"), ...buttons));
    return () => urls.forEach((url) => URL.revokeObjectURL(url));
  },
};
