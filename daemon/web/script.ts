/** The page's own script: takes over new parts as they come, and says when none come any more. Without it the page is whole, too. */
export const pageScript = `'use strict';
(function () {
  var live = document.getElementById('live');
  var ahead = Number(document.body.dataset.now) - Date.now();
  function ago(ms) {
    var s = Math.max(0, Math.round(ms / 1000));
    if (s < 60) return s + ' s';
    if (s < 3600) return Math.floor(s / 60) + ' min ' + (s % 60) + ' s';
    if (s < 172800) return Math.floor(s / 3600) + ' h ' + Math.floor((s % 3600) / 60) + ' min';
    return Math.floor(s / 86400) + ' days';
  }
  function tick() {
    document.querySelectorAll('[data-since]').forEach(function (e) {
      e.textContent = ago(Date.now() + ahead - Number(e.dataset.since));
    });
  }
  function clock() { return new Date(Date.now() + ahead).toISOString().slice(11, 19) + ' UTC'; }
  function say(text, lost) {
    if (live.textContent === text) return;
    live.textContent = text;
    live.classList.toggle('lost', lost);
  }
  function replace(part) {
    var there = document.getElementById(part.id);
    if (!there) return;
    var open = {};
    there.querySelectorAll('details[id]').forEach(function (d) { open[d.id] = d.open; });
    var focused = there.contains(document.activeElement) ? document.activeElement.closest('[id]').id : '';
    there.innerHTML = part.html;
    there.querySelectorAll('details[id]').forEach(function (d) { if (d.id in open) d.open = open[d.id]; });
    var again = focused && document.getElementById(focused);
    if (again) (again.querySelector('summary') || again).focus();
  }
  var source = new EventSource('api/v1/events?page=1');
  var lostAt = '';
  source.addEventListener('section', function (e) {
    var part = JSON.parse(e.data);
    ahead = part.nowMs - Date.now();
    replace(part);
    tick();
  });
  source.onopen = function () { lostAt = ''; say('Live', false); };
  source.onerror = function () {
    lostAt = lostAt || clock();
    say('Connection lost at ' + lostAt + ': what you see is from before', true);
  };
  setInterval(tick, 1000);
})();
`;
