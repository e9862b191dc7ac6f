const PATIENCE = 10_000; // ms without an answer, then the page asks again: the connection may have dropped
const TRIES = 6;

export default {
  render({ model, el }) {
    const button = h("button", { type: "button", onclick: () => (asked ? stop() : start()) });
    const outcome = h("span", { class: "quiet", role: "status" });
    let asked = null; // {token, file, parts, offset, tries}
    let timer = null;
    el.classList.add("ipyfastai", "ipyfastai-file-download");
    el.append(h("div", { class: "row" }, button, outcome));

    function draw() {
      const file = model.get("_offered");
      el.hidden = !file.name;
      if (!file.name) return;
      button.textContent = asked
        ? `Cancel (${Math.floor((100 * asked.offset) / Math.max(1, asked.file.size))} %)`
        : `${file.label} (${bytes(file.size)})`;
    }
    function start() {
      asked = { token: `${Math.random()}`, file: model.get("_offered"), parts: [], offset: 0, tries: 0 };
      outcome.textContent = "";
      ask();
    }
    function stop(said = "") {
      clearTimeout(timer);
      asked = null;
      outcome.textContent = said;
      draw();
    }
    function ask() {
      clearTimeout(timer);
      timer = setTimeout(() => (++asked.tries < TRIES ? ask() : stop("The kernel does not answer.")), PATIENCE);
      model.send({ type: "get", token: asked.token, number: asked.file.number, offset: asked.offset });
      draw();
    }
    function receive(content, buffers) {
      if (!asked || content.token !== asked.token || content.offset !== asked.offset) return;
      if (content.type === "gone") return stop("This file is not there any more.");
      if (content.type !== "piece") return;
      const piece = buffers[0];
      if (!piece.byteLength && asked.offset < asked.file.size) return stop("This file has changed. Try again.");
      asked.parts.push(piece);
      asked.offset += piece.byteLength;
      asked.tries = 0;
      if (asked.offset < asked.file.size) return ask();
      download(asked.file.name, new Blob(asked.parts), "application/octet-stream");
      stop("Downloaded.");
    }
    model.on("msg:custom", receive);
    follow(model, ["_offered"], () => (asked && model.get("_offered").number !== asked.file.number ? stop() : draw()));
    return () => {
      clearTimeout(timer);
      model.off("msg:custom", receive);
    };
  },
};
