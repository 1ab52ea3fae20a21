// Small conveniences; every page works without them.
"use strict";

// Times are written in UTC by the server; here they become the reader's own. The title keeps the UTC time.
function localTimes(root) {
  const usual = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" };
  for (const element of root.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.valueOf())) continue;
    const precise = element.classList.contains("precise");
    element.textContent = at.toLocaleString(undefined, precise ? { ...usual, fractionalSecondDigits: 3 } : usual);
  }
}

// Whether somebody is in the middle of something that renewing the page would take away.
function isBusy(main) {
  const active = document.activeElement;
  if (active !== main && main.contains(active) && !active.matches("a")) return true;
  if (String(document.getSelection()) !== "") return true;
  return [...main.querySelectorAll("input, textarea, select")].some((field) =>
    field.tagName === "SELECT" ? [...field.options].some((option) => option.selected !== option.defaultSelected)
                               : field.value !== field.defaultValue);
}

function follow(main) {
  const freshness = document.getElementById("freshness");
  const seconds = Number(main.dataset.live);
  let since = new Date();
  async function renew() {
    if (document.hidden || isBusy(main)) return;
    try {
      const address = new URL(location.href);
      address.searchParams.delete("done");
      const answer = await fetch(address, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const renewed = page.getElementById("content");
      if (!renewed || isBusy(main)) return;
      localTimes(renewed);
      if (renewed.innerHTML !== main.innerHTML) {
        const focused = main.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
        main.replaceChildren(...renewed.childNodes);
        if (focused) main.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
      }
      since = new Date();
      freshness.textContent = "";
    } catch {
      freshness.textContent = ` · not renewed since ${since.toLocaleTimeString()}: the service does not answer`;
    }
  }
  setInterval(renew, seconds * 1000);
}

localTimes(document);
const main = document.querySelector("main[data-live]");
if (main) follow(main);
