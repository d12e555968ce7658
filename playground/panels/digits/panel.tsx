export function DigitsPanel() {
  return <div class="panel" />;
}
