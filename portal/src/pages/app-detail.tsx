export function AppPage({ id }: { id: string }) {
  return <p>{id}</p>;
}
