export default {
  render({ model, el }) {
    const image = h("img", {});
    const caption = h("figcaption", { class: "quiet name" });
    el.classList.add("ipyfastai", "ipyfastai-picture");
    el.append(h("figure", {}, image, caption));

    let shown;
    follow(model, ["value", "alt", "caption"], () => {
      const value = model.get("value");
      el.hidden = !value?.byteLength;
      if (value !== shown) {
        URL.revokeObjectURL(image.src);
        if (el.hidden) image.removeAttribute("src");
        else image.src = URL.createObjectURL(new Blob([value], { type: "image/jpeg" }));
        shown = value;
      }
      image.alt = model.get("alt");
      caption.textContent = model.get("caption");
    });
    return () => URL.revokeObjectURL(image.src);
  },
};
