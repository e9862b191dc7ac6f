export default {
  render({ model, el }) {
    const headline = h("p", { class: "headline", role: "status" });
    const warning = h("p", { class: "warning", role: "status" });
    const remark = h("p", { class: "quiet" });
    const [right, showRight] = rightAnswer(() => model.get("_labels"),
      (label) => model.send({ type: "flag", id: model.get("_row").id, label }));
    const flag = h("label", { class: "row" }, h("span", { class: "quiet" }, "Wrong? The right answer is"), right);
    el.classList.add("ipyfastai", "ipyfastai-answer");
    el.append(headline, warning, remark, flag);

    let shown;
    follow(model, ["_row", "_labels"], () => {
      const { id, predicted, confidence, unfamiliar, error, label, note } = model.get("_row");
      el.hidden = id === undefined;
      const words = error || el.hidden ? [] : [h("b", {}, predicted), ` ${percent(confidence)}`];
      headline.replaceChildren(...words);
      headline.hidden = !words.length;
      el.classList.toggle("unsure", Boolean(unfamiliar));
      warning.textContent =
        error || (unfamiliar ? "Not sure: this does not look like the photos I was trained on." : "");
      remark.textContent = note ?? "";
      showRight(label ?? "");
      flag.hidden = !model.get("_labels").length;
      // On a phone the answer would stand below the edge of the screen.
      if (shown && id && id !== shown && matchMedia("(max-width: 640px)").matches) el.scrollIntoView({ block: "nearest" });
      shown = id ?? "nothing yet";
    });
  },
};
