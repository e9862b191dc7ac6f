const STAGES = { "Item transforms": "Item transforms (item_tfms)", "Batch transforms": "Batch transforms (batch_tfms)" };

function part({ kind, shape, text }) {
  return h("li", {}, h("b", {}, kind), shape ? h("span", { class: "shape" }, shape.length ? shape.join(" × ") : "one value") : null,
    text ? h("span", { class: "quiet name" }, text) : null);
}

function step({ name, settings, parts, problem, remedy }) {
  const element = h("li", { class: problem ? "step stopped" : "step" },
    h("div", { class: "what" }, h("span", { class: "name" }, name), settings ? h("span", { class: "quiet name" }, settings) : null),
    h("ul", { class: "parts" }, ...parts.map(part)));
  if (problem) element.append(h("p", { class: "problem name", role: "alert" }, problem));
  if (remedy) {
    const code = codeBox("What to add");
    code.show(remedy);
    element.append(h("p", {}, "Add this to it:"), code.element);
  }
  return element;
}

export default {
  render({ model, el }) {
    const verdict = h("p", { role: "status", class: "verdict" });
    const stages = h("div", { class: "stages" });
    el.classList.add("ipyfastai", "ipyfastai-data-summary");
    el.append(verdict, stages);

    follow(model, ["_steps"], () => {
      const steps = model.get("_steps");
      const failed = steps.some(({ problem }) => problem);
      verdict.textContent = !steps.length ? "" : failed ? "It stops at the last step below." : "All steps work: this is what they make.";
      verdict.classList.toggle("bad", failed);
      const sections = [];
      for (const one of steps) {
        if (sections.at(-1)?.stage !== one.stage) sections.push({ stage: one.stage, steps: [] });
        sections.at(-1).steps.push(one);
      }
      stages.replaceChildren(...sections.map(({ stage, steps: some }) =>
        h("section", {}, h("h4", {}, STAGES[stage] ?? stage), h("ol", {}, ...some.map(step)))));
    });
  },
};
