// The drop zone, its progress and its list; what it is given goes out through file_sender.js.

// The files below the dropped items, folders walked through, until there are enough. What cannot be
// read (a broken link, a folder without permission) costs itself and nothing else.
async function dropped(transfer, enough) {
  const plain = [...transfer.files]; // both lists are empty once this function has waited
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return plain;
  const files = [];
  const ask = (method, of) => new Promise((resolve) => of[method](resolve, () => resolve(null)));
  for (let entry; files.length < enough && (entry = entries.shift()); ) {
    if (entry.isFile) files.push(await ask("file", entry));
    else {
      const reader = entry.createReader();
      for (let batch; (batch = await ask("readEntries", reader))?.length; ) entries.push(...batch);
    }
  }
  return files.filter(Boolean);
}

function view(model, upload, el) {
  const { label, accept, noun, max_mb, max_files, images, show_files } = model.get("_options");
  const many = max_files > 1;
  // The same file can be chosen again: the input forgets it at once.
  const chooser = (attributes, text) => {
    const input = h("input", { type: "file", hidden: true, accept, tabindex: "-1", "aria-label": text, ...attributes });
    input.addEventListener("change", () => {
      if (input.files.length) upload.add([...input.files]);
      input.value = "";
    });
    return [input, h("button", { type: "button", onclick: () => input.click() }, text)];
  };
  const touch = matchMedia("(pointer: coarse)").matches;
  const buttons = [
    ...chooser({ multiple: many }, `Choose ${many ? `${noun}s` : `a ${noun}`}`),
    ...(many && !touch ? chooser({ webkitdirectory: true }, "Choose a folder") : []),
    ...(images && touch ? chooser({ capture: "environment" }, "Take a photo") : []),
  ];
  buttons.find((child) => child.tagName === "BUTTON").classList.add("primary");
  const ways = touch ? "" : images ? "Or drop or paste them here. " : "Or drop it here. ";
  const limits = `${ways}Up to ${max_mb} MB${many ? ` each, ${max_files} at a time` : ""}.`;
  const zone = h("div", { class: "zone", role: "group", "aria-label": label, tabindex: "0" },
    h("p", { class: "label" }, label), h("div", { class: "row" }, ...buttons), h("p", { class: "quiet" }, limits));

  const bar = h("progress", { max: "1", value: "0", "aria-label": "Upload progress" });
  const doing = h("span", {});
  const cancel = h("button", { type: "button", onclick: () => model.send({ type: "cancel" }) }, "Cancel");
  const moving = h("div", { class: "moving row" }, bar, doing, cancel);
  const said = h("p", { role: "status", class: "said" });
  const list = h("ul", { class: "files" });
  const clear = h("button", { type: "button", class: "plain", onclick: () => model.send({ type: "clear" }) }, "Clear");
  el.classList.add("ipyfastai", "ipyfastai-file-upload");
  el.append(zone, moving, said, list, clear);

  function line({ id, name, size, state, message }) {
    const what = message || bytes(size);
    const drop = h("button", {
      type: "button", class: "plain", "aria-label": `Remove ${name}`, onclick: () => model.send({ type: "cancel", id }),
    }, "×");
    return h("li", { class: state }, h("span", { class: "name" }, name), " ", h("span", { class: "what" }, what), drop);
  }

  function update() {
    const files = model.get("_files");
    const waiting = files.filter(({ state }) => ["waiting", "sending", "checking"].includes(state));
    const share = upload.progress();
    moving.hidden = !upload.busy();
    bar.value = share;
    const place = files.length > 1 ? `${files.length - waiting.length} of ${files.length} there, ` : "";
    doing.textContent = upload.stalled()
      ? "No answer from the server. Trying again: it goes on by itself once the connection is back."
      : `${place}${Math.round(share * 100)} %`;
    const isBad = (file) => ["refused", "cancelled"].includes(file.state);
    const told = files.filter((file) => file.message || (show_files && file.state === "ready"))
      .sort((a, b) => isBad(b) - isBad(a));
    list.replaceChildren(...told.map(line));
    clear.hidden = !told.length && !model.get("_notice") && !upload.complaint();
    const bad = files.filter(isBad).length;
    said.textContent = [
      upload.complaint(),
      model.get("_notice"),
      bad && !waiting.length ? `${bad} of ${files.length} ${noun}${files.length > 1 ? "s" : ""} could not be used.` : "",
    ].filter(Boolean).join(" ");
  }

  const over = (on) => (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    zone.classList.toggle("over", on);
  };
  zone.addEventListener("dragenter", over(true));
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", async (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return; // text: not ours
    over(false)(event);
    upload.add(await dropped(event.dataTransfer, max_files + 1));
  });
  // Anywhere on the page, but not where text is typed or where another widget took it.
  const paste = (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const typing = event.target.closest?.("input, textarea, [contenteditable=true], .cm-editor");
    if (event.defaultPrevented || typing || !files.length || !el.isConnected) return;
    event.preventDefault();
    upload.add(files);
  };
  document.addEventListener("paste", paste);
  upload.views.add(update);
  model.on("change:_notice", update);
  update();
  return () => {
    document.removeEventListener("paste", paste);
    upload.views.delete(update);
  };
}

export default () => {
  let upload;
  return {
    initialize({ model }) {
      upload = sender(model);
      return upload.stop;
    },
    render: ({ model, el }) => view(model, upload, el),
  };
};
