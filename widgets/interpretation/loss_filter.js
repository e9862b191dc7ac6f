export default {
  render({ model, el }) {
    const send = (type, value) => model.send({ type, value });
    const [splits, showSplits] = select("Split", (at) => send("split", at));
    const [labels, showLabels] = select("Label", (at) => send("label", at ? at - 1 : null));
    const wrong = h("input", { type: "checkbox", onchange: () => send("only_wrong", wrong.checked) });
    const said = h("p", { class: "quiet", role: "status" });
    el.classList.add("ipyfastai", "ipyfastai-loss-filter");
    el.append(h("h4", {}, "Worst first"), h("div", { class: "row" }, splits, labels, h("label", { class: "row only" }, wrong, "Only mistakes")), said);

    follow(model, ["_state"], () => {
      const state = model.get("_state");
      const counted = ([name, count]) => `${visible(name)} (${count.toLocaleString()})`;
      showSplits(state.splits.map(counted), state.split);
      showLabels(["All labels", ...state.labels.map(counted)], state.label === null ? 0 : state.label + 1);
      splits.hidden = state.splits.length < 2;
      labels.hidden = state.labels.length < 2;
      wrong.checked = state.only_wrong;
      if (said.textContent !== state.said) said.textContent = state.said; // what did not change is not read out again
    });
  },
};
