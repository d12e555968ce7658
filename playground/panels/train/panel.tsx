export function TrainPanel() {
  return <div class="panel" />;
}
