const gigabytes = (count) => (count >= 1e9 ? `${(count / 1e9).toFixed(1)} GB` : bytes(count));

export default {
  render({ model, el }) {
    const name = h("p", { class: "device name" });
    const said = h("p", { role: "status" });
    const meter = h("meter", { min: "0", low: "0.75", high: "0.9", optimum: "0", "aria-label": "Memory in use" });
    const memory = h("span", {});
    const refresh = () => model.send({ type: "refresh" });
    const again = h("button", { type: "button", class: "plain", onclick: refresh }, "Refresh");
    const line = h("div", { class: "row quiet" }, memory, again);
    const users = h("ul", { class: "users quiet" });
    el.classList.add("ipyfastai", "ipyfastai-device-card");
    el.append(name, said, meter, line, users);

    follow(model, ["_shown"], () => {
      const { name: device, total, used, users: all = [], sentence } = model.get("_shown");
      el.hidden = !device;
      name.textContent = device ?? "";
      said.textContent = sentence ?? "";
      meter.hidden = line.hidden = !total;
      users.hidden = !all.length;
      if (total) {
        meter.value = used / total;
        memory.textContent = `${gigabytes(used)} of ${gigabytes(total)} memory in use`;
      }
      users.replaceChildren(...all.map(([who, size]) => h("li", { class: "name" }, `${who}: ${gigabytes(size)}`)));
    });
  },
};
