export default {
  render({ model, el }) {
    const image = h("img", {});
    const caption = h("figcaption", { class: "quiet name" });
    el.classList.add("ipyfastai", "ipyfastai-picture");
    el.append(h("figure", {}, image, caption));

    function update() {
      const value = model.get("value");
      URL.revokeObjectURL(image.src);
      el.hidden = !value?.byteLength;
      if (!el.hidden) image.src = URL.createObjectURL(new Blob([value], { type: "image/jpeg" }));
      image.alt = model.get("alt");
      caption.textContent = model.get("caption");
    }
    for (const name of ["value", "alt", "caption"]) model.on(`change:${name}`, update);
    update();
    return () => URL.revokeObjectURL(image.src);
  },
};
