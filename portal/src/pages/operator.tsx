/** The pages of operators, by path. */
import type { ComponentChildren } from 'preact';
import type { Place } from '../lib/router';
import { BacklogPage } from './operator/backlog';
import { FailingPage } from './operator/failing';
import { OrganisationsPage } from './operator/organisations';
import { RegistryPage } from './operator/registry';

export const OPERATOR_PAGES: Record<string, (here: Place) => ComponentChildren> = {
  '/': (here) => <OrganisationsPage here={here} />,
  '/backlog': () => <BacklogPage />,
  '/failing': (here) => <FailingPage here={here} />,
  '/registry': () => <RegistryPage />,
};
