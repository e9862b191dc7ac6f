export default {
  render({ model, el }) {
    const head = h("h2", {});
    el.classList.add("ipyfastai", "ipyfastai-heading");
    el.append(head);
    follow(model, ["text"], () => (head.textContent = model.get("text")));
  },
};
