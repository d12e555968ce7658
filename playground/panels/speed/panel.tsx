export function SpeedPanel() {
  return <div class="panel" />;
}
