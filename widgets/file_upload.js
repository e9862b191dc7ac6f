// Sends files in acknowledged chunks. One sender for each widget model, so that two views of it
// show the same transfer and removing a view stops nothing.
const CHUNK = 512 * 1024; // far below the 10 MiB that a Jupyter websocket message may hold
const HEAD = 64 * 1024; // enough for most headers: what is no photo is refused before it is sent
const WINDOW = 4; // chunks under way at once, so that a slow line is kept full
const LANES = 2; // files under way at once
const PATIENCE = 4000; // ms without an answer before what is unacknowledged is sent again
const LOST = 15_000; // ms without any sign of a transfer that another page had begun

function sender(model) {
  const mine = new Map(); // id -> {file, payload, sent, acked, heard}
  const heard = new Map(); // id of another page's transfer -> when it last moved
  const views = new Set();
  const entries = () => model.get("_files");
  const pending = () => entries().filter((entry) => ["waiting", "sending", "checking"].includes(entry.state));
  const refresh = () => views.forEach((view) => view());

  function add(files) {
    const { max_files, images } = model.get("_options");
    const fitting = images ? files.filter(looksLikePhoto) : files;
    // A folder of 10,000 photos is cut here; the kernel counts for itself.
    const chosen = fitting.slice(0, max_files + 1).map((file) => {
      const id = Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16).padStart(8, "0")).join("");
      mine.set(id, { file, heard: Date.now() });
      return { id, name: file.name, size: file.size };
    });
    const more = fitting.length - chosen.length;
    model.send({ type: "select", files: chosen, more, left_out: files.length - fitting.length });
    // What fits into one chunk follows at once: its answer need not wait for a question.
    for (const { id, size } of chosen.slice(0, LANES)) if (0 < size && size <= CHUNK) begin(id);
  }

  function advance() {
    for (const id of mine.keys()) {
      if (!entries().some((entry) => entry.id === id)) continue; // not answered yet
      if (!pending().some((entry) => entry.id === id)) mine.delete(id);
    }
    const active = pending().filter(({ id }) => mine.get(id)?.started).length;
    entries()
      .filter((entry) => entry.state === "waiting" && mine.has(entry.id) && !mine.get(entry.id).started)
      .slice(0, Math.max(0, LANES - active))
      .forEach((entry) => begin(entry.id));
    refresh();
  }

  function begin(id) {
    const one = mine.get(id);
    one.started = true;
    one.heard = Date.now();
    if (one.file.size > CHUNK || isHeic(one.file)) return greet(id);
    Object.assign(one, { payload: one.file, sent: 0, acked: 0 });
    pump(id, one);
  }

  async function greet(id) {
    const { file } = mine.get(id);
    try {
      model.send({ type: "head", id }, undefined, [await file.slice(0, HEAD).arrayBuffer()]);
    } catch {
      model.send({ type: "refuse", id, why: "read" });
    }
  }

  async function go({ id, offset, shrink, convert }) {
    const one = mine.get(id);
    if (!one) return;
    one.heard = Date.now();
    if (!one.payload) {
      if (one.preparing) return;
      one.preparing = true;
      const drawn = shrink || convert ? await redrawn(one.file, model.get("_options").max_side) : null;
      if (convert && !drawn) return model.send({ type: "refuse", id, why: "convert" });
      // A photo the browser cannot draw is sent as it is: the kernel can say what is wrong with it.
      one.payload = drawn && (convert || drawn.size < one.file.size) ? drawn : one.file;
    }
    one.sent = one.acked = offset;
    pump(id, one);
  }

  async function pump(id, one) {
    if (one.pumping) return;
    one.pumping = true;
    try {
      while (mine.has(id) && one.sent < one.payload.size && one.sent - one.acked < WINDOW * CHUNK) {
        const offset = one.sent;
        const chunk = await one.payload.slice(offset, offset + CHUNK).arrayBuffer();
        if (offset !== one.sent) continue; // sent again from further back meanwhile
        one.sent += chunk.byteLength;
        model.send({ type: "chunk", id, offset, total: one.payload.size }, undefined, [chunk]);
      }
    } catch {
      model.send({ type: "refuse", id, why: "read" });
    } finally {
      one.pumping = false;
    }
  }

  function ack({ id, received }) {
    heard.set(id, Date.now());
    const one = mine.get(id);
    if (!one?.payload) return;
    one.heard = Date.now();
    one.stalled = false;
    one.acked = Math.max(one.acked, received);
    if (received < one.acked) one.sent = one.acked = received;
    pump(id, one);
    refresh();
  }

  // A dropped connection loses messages without a word: what is not acknowledged is sent again
  // until it is. The kernel ignores what it already has.
  function watch() {
    const now = Date.now();
    for (const { id, state } of pending()) {
      const one = mine.get(id);
      if (!one) {
        if (!heard.has(id)) heard.set(id, now);
        else if (state !== "checking" && now - heard.get(id) > LOST) model.send({ type: "cancel", id, lost: true });
      } else if (one.started && state !== "checking" && now - one.heard > PATIENCE && !(one.preparing && !one.payload)) {
        one.heard = now;
        one.stalled = true;
        greet(id); // the answer says from where to go on
        refresh();
      }
    }
    for (const one of mine.values()) if (!one.started && now - one.heard > PATIENCE) one.stalled = true;
  }

  model.on("msg:custom", (message) => {
    if (message.type === "go") go(message);
    else if (message.type === "ack") ack(message);
  });
  model.on("change:_files", advance);
  const timer = setInterval(watch, 1000);

  return {
    add,
    views,
    pending,
    stalled: () => [...mine.values()].some((one) => one.stalled),
    // The share of all bytes of this choice that is there.
    progress() {
      let [there, all] = [0, 0];
      for (const { id, size, state } of entries()) {
        const one = mine.get(id);
        const total = one?.payload?.size ?? size;
        all += total;
        there += ["waiting", "sending"].includes(state) ? one?.acked ?? 0 : total;
      }
      return all ? there / all : 0;
    },
    stop: () => clearInterval(timer),
  };
}

const isHeic = (file) => /hei[cf]/i.test(`${file.type} ${file.name}`);

function looksLikePhoto(file) {
  return file.type.startsWith("image/") || /\.(jpe?g|png|gif|webp|bmp|tiff?|heic|heif|avif|svg)$/i.test(file.name);
}

// The photo upright (browsers apply its EXIF orientation) as a JPEG, at most `side` pixels long.
async function redrawn(file, side) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
    const scale = Math.min(1, (side ?? Infinity) / Math.max(bitmap.width, bitmap.height));
    const [width, height] = [Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale))];
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.fillStyle = "white"; // JPEG knows no transparency
    pen.fillRect(0, 0, width, height);
    pen.drawImage(bitmap, 0, 0, width, height);
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  } catch {
    return null; // the caller decides what a file that cannot be drawn means
  } finally {
    bitmap?.close();
  }
}

// Every file below the dropped items, folders walked through.
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const files = [];
  for (let entry; (entry = entries.shift()); ) {
    if (entry.isFile) files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    else {
      const reader = entry.createReader();
      for (let batch; (batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length; )
        entries.push(...batch);
    }
  }
  return files;
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
  const limits = `${images ? "Or paste one. " : ""}Up to ${max_mb} MB each${many ? `, ${max_files} at a time` : ""}.`;
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
    const waiting = upload.pending();
    const share = upload.progress();
    moving.hidden = !waiting.length;
    bar.value = share;
    const place = files.length > 1 ? `${files.length - waiting.length} of ${files.length} there, ` : "";
    doing.textContent = upload.stalled()
      ? "No answer from the server; it goes on by itself once the connection is back."
      : `${place}${Math.round(share * 100)} %`;
    const isBad = (file) => ["refused", "cancelled"].includes(file.state);
    const told = files.filter((file) => file.message || (show_files && file.state === "ready"))
      .sort((a, b) => isBad(b) - isBad(a));
    list.replaceChildren(...told.map(line));
    clear.hidden = !told.length && !model.get("_notice");
    const bad = files.filter(isBad).length;
    said.textContent = [
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
    over(false)(event);
    upload.add(await dropped(event.dataTransfer));
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
