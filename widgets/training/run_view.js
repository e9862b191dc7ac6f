function epochTable() {
  const head = h("tr", {});
  const body = h("tbody", {});
  const foot = h("tfoot", { class: "quiet" });
  const element = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Figures of each epoch" },
    h("table", {}, h("thead", {}, head), body, foot));
  const names = { epoch: "Epoch", train_loss: "Training loss", valid_loss: "Validation loss", seconds: "Time" };
  let drawn;
  return {
    element,
    draw(rows, best, baseline, trivialName = "") {
      const text = JSON.stringify([rows.at(-1), best, baseline]);
      if (text === drawn) return; // between two epochs nothing changes
      drawn = text;
      element.hidden = !rows.length;
      if (!rows.length) return;
      const columns = Object.keys(rows[0]).filter((name) => name !== "frozen");
      head.replaceChildren(...columns.map((name) => h("th", { scope: "col" }, names[name] ?? plainName(name))));
      const cell = (row, name) => {
        const value = row[name];
        if (name === "epoch") return `${value}${row.frozen ? " (frozen)" : ""}${value === best ? " – best" : ""}`;
        if (name === "seconds") return value < 10 ? `${figure(value)} s` : duration(value);
        return value === null ? "–" : figure(value);
      };
      body.replaceChildren(...rows.map((row) => h("tr", { class: row.epoch === best ? "best" : "" },
        ...columns.map((name, index) => h(index ? "td" : "th", index ? {} : { scope: "row" }, cell(row, name))))));
      const trivial = columns.some((name) => name in baseline);
      foot.replaceChildren(...(trivial ? [h("tr", {}, h("th", { scope: "row" }, trivialName[0].toUpperCase() + trivialName.slice(1)),
        ...columns.slice(1).map((name) => h("td", {}, name in baseline ? figure(baseline[name]) : "")))] : []));
    },
  };
}

function view(model, el, points) {
  const send = (type, value) => () => model.send({ type, value });
  const button = (text, type, className = "") =>
    h("button", { type: "button", class: className, onclick: send(type) }, text);
  const start = button("Train", "start", "primary");
  const fresh = h("input", { type: "checkbox", onchange: () => model.send({ type: "fresh", value: fresh.checked }) });
  const again = h("label", { class: "fresh" }, fresh, "Begin with the weights that the learner came with");
  const best = button("", "best");
  const note = h("p", { class: "bad", role: "alert" });
  const resumable = h("ul", { class: "resumable" });
  const bar = h("progress", { "aria-label": "The whole training" });
  const pause = button("Pause", "pause");
  const resume = button("Resume", "resume", "primary");
  const stop = button("Stop", "stop");
  const left = h("span", { class: "quiet" });
  const steering = h("div", { class: "row" }, bar, left, pause, resume, stop);
  const where = h("p", { class: "where name" });
  const ended = h("p", { role: "status", class: "where name" });
  const problem = h("div", { class: "problem", role: "alert" });
  const advice = h("ul", { class: "advice", role: "status" });
  const charts = runCharts();
  const table = epochTable();
  el.classList.add("ipyfastai", "ipyfastai-run-view");
  el.append(h("div", { class: "row" }, start, again), note, resumable, steering, where, ended, best, problem, advice);
  if (model.get("_curves")) el.append(charts.element, table.element);
  else best.remove();

  const stay = (event) => event.preventDefault(); // the browser asks; under Voila the kernel ends with the page
  const askBeforeLeaving = (ask) => {
    for (const leaving of ["beforeunload", "ipyfastai-leaving"]) { // the second in a dashboard, see its page.js
      (ask ? addEventListener : removeEventListener)(leaving, stay);
    }
  };

  const said = new Map(); // what is said already is not replaced: a screen reader would say it again
  function say(element, value, children) {
    const text = JSON.stringify(value);
    if (said.get(element) === text) return;
    said.set(element, text);
    element.replaceChildren(...children());
  }

  function update() {
    const shown = model.get("_shown");
    const { state = "ready", progress = {}, text = "" } = shown;
    const active = ["running", "paused", "stopping"].includes(state);
    const controls = [start, pause, resume, stop, best];
    const focused = controls.find((one) => one === document.activeElement);
    start.hidden = active;
    start.textContent = state === "ready" ? "Train" : "Train again";
    again.hidden = active || shown.fresh === null || shown.fresh === undefined;
    fresh.checked = shown.fresh === true;
    say(note, shown.note, () => [shown.note ?? ""]);
    const taken = shown.taken ? ` The network has the weights of epoch ${shown.taken} now.` : "";
    best.hidden = active || !shown.best || shown.taken === shown.best || shown.best === shown.epochs;
    best.textContent = `Take the weights of epoch ${shown.best}, the best`;
    steering.hidden = !active;
    askBeforeLeaving(active);
    pause.hidden = state !== "running";
    resume.hidden = state !== "paused";
    stop.ariaDisabled = state === "stopping";
    if (progress.iterations) {
      bar.max = progress.iterations;
      bar.value = progress.iteration ?? 0;
    } else bar.removeAttribute("value");
    const seconds = state === "running" ? progress.seconds_left : 0;
    left.textContent = seconds >= 1 ? `${duration(seconds)} left` : "";
    where.textContent = active ? text : "";
    say(ended, active ? "" : text + taken, () => [active ? "" : text + taken]);
    const fault = shown.problem ?? null;
    problem.hidden = !fault;
    say(problem, [fault, active], () => (fault ? [h("p", {}, ...sentence(fault.message)),
      h("p", {}, ...sentence(fault.suggestion)),
      Object.keys(fault.settings ?? {}).length && !active
        ? button("Try that now", "try", "primary") : null].filter(Boolean) : []));
    say(advice, shown.advice ?? [], () => (shown.advice ?? []).map((one) => h("li", {}, ...sentence(one))));
    const past = active ? [] : shown.resumable ?? [];
    say(resumable, past, () => past.map((one) => h("li", {}, h("span", {}, one.text),
      h("button", { type: "button", "aria-label": `Continue the training of ${one.name}`,
        onclick: send("again", one.name) }, "Continue the training"))));
    if (focused?.hidden) controls.find((one) => !one.hidden && (active ? one !== start : true))?.focus();
    draw();
  }

  function draw() {
    if (!model.get("_curves")) return;
    const shown = model.get("_shown");
    const data = points.data();
    const current = shown.run === data.run && shown.run !== undefined;
    const drawn = current ? data : { raw: [], smoothed: [], rates: [], epochs: [] };
    charts.draw(drawn, shown);
    table.draw(drawn.epochs, shown.best, shown.baseline ?? {}, shown.trivial);
  }

  points.views.add(draw);
  follow(model, ["_shown"], update);
  return () => {
    points.views.delete(draw);
    askBeforeLeaving(false);
    charts.close();
  };
}

export default () => {
  let points;
  return {
    initialize({ model }) {
      points = record(model);
      return points.close;
    },
    render: ({ model, el }) => view(model, el, points),
  };
};
