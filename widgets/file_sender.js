// Sends files in acknowledged chunks. One sender for each widget model, so that two views of it
// show the same transfer and removing a view stops nothing.
const CHUNK = 512 * 1024; // far below the 10 MiB that a Jupyter websocket message may hold
const HEAD = CHUNK; // enough for a phone's headers: what is no photo is refused before it is sent
const WINDOW = 4; // chunks under way at once, so that a slow line is kept full
const LANES = 2; // files under way at once
const PATIENCE = 4000; // ms without an answer before what is unacknowledged is sent again
const LOST = 15_000; // ms without any sign of a transfer that another page had begun

function sender(model) {
  const mine = new Map(); // id -> {file, payload, sent, acked, heard}
  const asked = new Map(); // choice -> {message, heard, stalled}, until the kernel has answered it
  let others = Date.now(); // when a transfer of another page last moved
  let complaint = ""; // what the kernel said of a message it did not understand
  const views = new Set();
  const entries = () => model.get("_files");
  const pending = () => entries().filter((entry) => ["waiting", "sending", "checking"].includes(entry.state));
  const refresh = () => views.forEach((view) => view());

  function add(files) {
    const { max_files, images } = model.get("_options");
    const fitting = images ? files.filter(looksLikePhoto) : files;
    // A folder of 10,000 photos is cut here; the kernel counts for itself.
    const chosen = fitting.slice(0, max_files + 1).map((file) => {
      const id = unguessable();
      mine.set(id, { file, heard: Date.now() });
      return { id, name: file.name, size: file.size };
    });
    const choice = unguessable();
    const [more, left_out] = [fitting.length - chosen.length, files.length - fitting.length];
    const message = { type: "select", choice, files: chosen, more, left_out };
    asked.set(choice, { message, heard: Date.now() });
    complaint = "";
    model.send(message);
    // What fits into one chunk follows at once: its answer need not wait for a question.
    for (const { id, size } of chosen.slice(0, LANES)) if (0 < size && size <= CHUNK) begin(id);
    refresh();
  }

  // The kernel's answer to a choice: what it did not take is let go.
  function answered({ choice, ids = [], message = "" }) {
    for (const { id } of asked.get(choice)?.message.files ?? []) if (!ids.includes(id)) mine.delete(id);
    asked.delete(choice);
    complaint = message;
    refresh();
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
    const one = mine.get(id);
    if (!one) others = Date.now();
    if (!one?.payload) return;
    one.heard = Date.now();
    one.stalled = false;
    one.acked = Math.max(one.acked, received);
    pump(id, one);
    refresh();
  }

  // A dropped connection loses messages without a word: what is not acknowledged is sent again
  // until it is. The kernel ignores what it already has.
  function watch() {
    const now = Date.now();
    for (const one of asked.values()) {
      if (now - one.heard <= PATIENCE) continue;
      Object.assign(one, { heard: now, stalled: true });
      model.send(one.message);
      refresh();
    }
    if (!pending().length) others = now;
    for (const { id, state } of pending()) {
      const one = mine.get(id);
      if (!one) {
        if (state !== "checking" && now - others > LOST) model.send({ type: "cancel", id, lost: true });
      } else if (one.started && state !== "checking" && now - one.heard > PATIENCE && !(one.preparing && !one.payload)) {
        one.heard = now;
        one.stalled = true;
        greet(id); // the answer says from where to go on
        refresh();
      }
    }
  }

  model.on("msg:custom", (message) => {
    if (message.type === "go") go(message);
    else if (message.type === "ack") ack(message);
    else if (["selected", "rejected"].includes(message.type)) answered(message);
  });
  model.on("change:_files", advance);
  const timer = setInterval(watch, 1000);

  return {
    add,
    views,
    busy: () => asked.size > 0 || pending().length > 0,
    complaint: () => complaint,
    stalled: () => [...mine.values(), ...asked.values()].some((one) => one.stalled),
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

// Not crypto.randomUUID(), which exists only on https and localhost.
const unguessable = () =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16).padStart(8, "0")).join("");

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
