export function OrganisationPage({ part }: { part: string }) {
  return <p>{part}</p>;
}
