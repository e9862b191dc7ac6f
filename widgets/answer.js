export default {
  render({ model, el }) {
    const headline = h("p", { class: "headline", role: "status" });
    const warning = h("p", { class: "warning", role: "status" });
    const right = h("select", {});
    const flag = h("label", { class: "row" }, h("span", { class: "quiet" }, "Wrong? The right answer is"), right);
    right.addEventListener("change", () => model.send({ type: "flag", id: model.get("_row").id, label: right.value }));
    el.classList.add("ipyfastai", "ipyfastai-answer");
    el.append(headline, warning, flag);

    let shown;
    function update() {
      const { id, predicted, confidence, unfamiliar, error, label, note } = model.get("_row");
      el.hidden = predicted === undefined;
      headline.replaceChildren(...(error ? [] : [h("b", {}, predicted ?? ""), ` ${percent(confidence ?? 0)}`]));
      headline.hidden = Boolean(error);
      el.classList.toggle("unsure", Boolean(unfamiliar));
      warning.textContent = [
        error,
        unfamiliar ? "Not sure: this does not look like the photos I was trained on." : "",
        note,
      ].filter(Boolean).join(" ");
      const labels = model.get("_labels");
      right.replaceChildren(h("option", { value: "" }, "–"), ...labels.map((text) => h("option", { value: text }, text)));
      right.value = label ?? "";
      flag.hidden = !labels.length;
      // On a phone the answer would stand below the edge of the screen.
      if (shown && id !== shown && matchMedia("(max-width: 640px)").matches) el.scrollIntoView({ block: "nearest" });
      shown = id ?? "nothing yet";
    }
    model.on("change:_row", update);
    model.on("change:_labels", update);
    update();
  },
};
