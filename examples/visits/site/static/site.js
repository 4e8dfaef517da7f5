/* The site's own script: consent, and an event of its own. */
"use strict";
const banner = document.getElementById("consent");
const said = localStorage.getItem("consent");
if (said === null) banner.hidden = false;
else oyez.consent(said === "yes");
banner.addEventListener("click", (event) => {
  const answer = event.target.dataset.consent;
  if (!answer) return;
  localStorage.setItem("consent", answer);
  oyez.consent(answer === "yes");
  banner.hidden = true;
});
document.getElementById("like")?.addEventListener("click", () => {
  oyez("site.liked", { url: location.href });
  document.getElementById("liked").textContent = "Thank you.";
});
