// Sets the theme before the first paint, so that nothing flashes. A classic script on purpose:
// modules run after the page has been parsed.
(function () {
  const asked = new URLSearchParams(location.search).get('theme');
  let kept = null;
  try {
    kept = localStorage.getItem('retailpulse.theme');
  } catch (refused) {
    // Storage may be switched off; the theme then follows the system.
  }
  const theme = [asked, kept].find((name) => /^(light|dark|auto)$/.test(name ?? '')) ?? 'auto';
  document.documentElement.dataset.theme = theme;
})();
