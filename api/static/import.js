/* Sending files: what is too large is said before it is sent, and that something is under way is said while it is. */
(function () {
  "use strict";

  const form = document.querySelector("[data-send]");
  if (!form) return;
  const state = form.querySelector("[data-send-state]");
  const files = form.querySelector('input[type="file"]');
  const button = form.querySelector('button[type="submit"]');
  const most = Number(form.dataset.most);

  const megabytes = () => Array.from(files.files).reduce((sum, file) => sum + file.size, 0) / (1024 * 1024);

  files.addEventListener("change", () => {
    const tooLarge = megabytes() > most;
    files.setCustomValidity(tooLarge ? `合わせて ${most} MB までです。いくつかに分けて送ってください。` : "");
    state.textContent = "";
    if (tooLarge) files.reportValidity();
  });

  form.addEventListener("submit", () => {
    button.disabled = true;
    state.textContent = `送っています（${megabytes().toFixed(1)} MB）。終わるまで、この画面を閉じないでください。`;
  });

  /* Back from the next page: the form can be used again. */
  window.addEventListener("pageshow", () => {
    button.disabled = false;
    state.textContent = "";
  });
})();
