// What the page of a dashboard does beside showing it: follow the visitor's light or dark system,
// take "Starting…" away once the widgets show, and say so when the session is over.
"use strict";

(() => {
  // Voila's template calls these; there is no progress to count in a page that shows its text at once.
  window.voila_process = () => {};
  window.voila_finish = () => {};

  // A heartbeat comes when a cell runs for long, so that no proxy closes the connection.
  window.voila_heartbeat = () => {};

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const followSystem = () => {
    document.body.dataset.jpThemeLight = String(!dark.matches);
    document.body.dataset.jpThemeName = dark.matches ? "JupyterLab Dark" : "JupyterLab Light";
  };
  followSystem();
  dark.addEventListener("change", followSystem);

  // Each output waits in such a script until Voila's frontend has replaced it.
  const WAITING = 'script[type="application/vnd.voila.cell-output+json"]';

  addEventListener("DOMContentLoaded", () => {
    const starting = document.getElementById("starting");
    const settle = () => {
      if (document.querySelector(WAITING)) return;
      starting.remove();
      watching.disconnect();
    };
    const watching = new MutationObserver(settle);
    watching.observe(document.body, { childList: true, subtree: true });
    settle();
    watchSession();
  });

  const { baseUrl, kernelId } = JSON.parse(document.getElementById("jupyter-config-data").textContent);

  // Voila's frontend says so too, but only once it runs: a page left while it starts must end its kernel as well.
  addEventListener("pagehide", () => {
    const form = new FormData();
    form.append("_xsrf", document.cookie.match(/\b_xsrf=([^;]*)/)?.[1] ?? "");
    navigator.sendBeacon(`${baseUrl}voila/api/shutdown/${kernelId}`, form);
  });

  // And it does so before the page is left: whoever is asked and stays would sit before a dead page. So it never hears
  // of it, and what wants to ask is told by an event of our own.
  addEventListener("beforeunload", (event) => {
    event.stopImmediatePropagation();
    if (!dispatchEvent(new Event("ipyfastai-leaving", { cancelable: true }))) event.preventDefault();
  });

  const CHECK_MS = 30_000;
  const RETRY_MS = 2_000;
  // The widgets' own connection gives up reconnecting after some minutes; well before that, say it is over.
  const GIVE_UP_MS = 60_000;

  function watchSession() {
    const kernel = new URL(`${baseUrl}api/kernels/${kernelId}`, location.href);
    let lostAt = null;
    let timer = null;
    let over = false;

    async function check() {
      clearTimeout(timer);
      const answer = await fetch(kernel, { cache: "no-store" }).catch(() => null);
      if (over) return;
      if (answer?.ok) {
        lostAt = null;
        banner(null);
      } else if (answer?.status === 404) {
        over = true;
        return banner("This session has ended. Reload the page to start again.", true);
      } else {
        lostAt ??= Date.now();
        if (Date.now() - lostAt > GIVE_UP_MS) {
          over = true;
          return banner("The server does not answer any more. Reload the page to start again.", true);
        }
        banner("The connection is lost. Trying to reach the server again…");
      }
      timer = setTimeout(check, lostAt === null ? CHECK_MS : RETRY_MS);
    }

    // When the kernel or the server goes, the socket closes: that is noticed at once, not in CHECK_MS.
    onSocketClose = check;
    addEventListener("online", check);
    // Back to a page that the browser had put aside: leaving it has ended its session.
    addEventListener("pageshow", (event) => event.persisted && check());
    timer = setTimeout(check, CHECK_MS);
  }

  let onSocketClose = () => {};
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener("close", () => onSocketClose());
    }
  };

  function banner(sentence, final = false) {
    const shown = document.getElementById("session");
    if (sentence === shown?.firstChild.textContent) return;
    shown?.remove();
    if (!sentence) return;
    const element = document.createElement("div");
    element.id = "session";
    element.setAttribute("role", "alert");
    const words = document.createElement("span");
    words.textContent = sentence;
    element.append(words);
    if (final) {
      const reload = document.createElement("button");
      reload.type = "button";
      reload.textContent = "Reload";
      reload.addEventListener("click", () => location.reload());
      element.append(reload);
    }
    document.body.prepend(element);
  }
})();
