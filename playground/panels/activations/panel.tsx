export function ActivationsPanel() {
  return <div class="panel" />;
}
