/** Icons, drawn on a grid of 16. Each state has a shape of its own, so that colour is never the only sign. */

const SHAPES = {
  check: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM5 8.2l2.1 2.1L11.2 6',
  cross: 'M5.3 1.8h5.4l3.5 3.5v5.4l-3.5 3.5H5.3l-3.5-3.5V5.3ZM6 6l4 4M10 6l-4 4',
  clock: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM8 4.6V8l2.4 1.6',
  skip: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM3.6 12.4l8.8-8.8',
  pause: 'M2.5 2.5h11v11h-11ZM6.3 5.8v4.4M9.7 5.8v4.4',
  warn: 'M8 2 1.6 13.5h12.8ZM8 6.4v3M8 11.4v.1',
  off: 'M4 8h8M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Z',
  home: 'M2 7.2 8 2l6 5.2M3.6 6v7.8h8.8V6M6.6 13.8V9.6h2.8v4.2',
  routes: 'M2 4h4c4 0 4 8 8 8M2 12h4c1.2 0 2-.7 2.6-1.7M9.4 5.7C10 4.7 10.8 4 12 4h2M12 2l2 2-2 2M12 10l2 2-2 2',
  deliveries: 'M1.8 8 14.2 2.2 10.6 13.8 7.6 9ZM7.6 9l6.6-6.8',
  events: 'M8.8 1.5 3 9.2h4.5L6.8 14.5 13 6.6H8.3Z',
  apps: 'M2 2h4.8v4.8H2ZM9.2 2H14v4.8H9.2ZM2 9.2h4.8V14H2ZM9.2 9.2H14V14H9.2Z',
  organisation: 'M2 14V3h7v11M9 6.5h5V14M1 14h14M4.5 5.7h2M4.5 8.4h2M4.5 11.1h2M11 9h1M11 11.5h1',
  lock: 'M3.5 7h9v7h-9ZM5.5 7V4.8a2.5 2.5 0 0 1 5 0V7',
  hash: 'M6.3 2 5 14M11 2 9.7 14M2.5 5.6h11.3M2.2 10.4h11.3',
  copy: 'M5.5 5.5h8v8h-8ZM10.5 5.5v-3h-8v8h3',
  menu: 'M2 4h12M2 8h12M2 12h12',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  plus: 'M8 2.5v11M2.5 8h11',
  up: 'M8 13V3M3.8 7.2 8 3l4.2 4.2',
  down: 'M8 3v10M3.8 8.8 8 13l4.2-4.2',
  left: 'M13 8H3M7.2 3.8 3 8l4.2 4.2',
  right: 'M3 8h10M8.8 3.8 13 8l-4.2 4.2',
  grip: 'M6 3.5v.1M10 3.5v.1M6 8v.1M10 8v.1M6 12.5v.1M10 12.5v.1',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3l3.7 3.7',
  mail: 'M1.8 3.5h12.4v9H1.8ZM1.8 4l6.2 5 6.2-5',
  link: 'M6.7 9.3a2.7 2.7 0 0 0 3.9 0l2.5-2.5a2.7 2.7 0 0 0-3.9-3.9l-.9.9M9.3 6.7a2.7 2.7 0 0 0-3.9 0L2.9 9.2a2.7 2.7 0 0 0 3.9 3.9l.9-.9',
  chat: 'M2 2.5h12v8.5H7.5L4.5 14v-3H2Z',
  gear: 'M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6M10 2.7v3.6M6 9.7v3.6',
  leave: 'M6.5 2.5h-4v11h4M6.5 8H14M11 5l3 3-3 3',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.4M8 13.6V15M1 8h1.4M13.6 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
} as const;

export type IconName = keyof typeof SHAPES;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={SHAPES[name]} />
    </svg>
  );
}

export function Slack({ size = 18 }: { size?: number }) {
  return (
    <svg class="brand" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <g fill="none" stroke-width="3.4" stroke-linecap="round">
        <path stroke="#36a3c9" d="M9.6 4v6.2M4 9.6h.1" />
        <path stroke="#2a9d6e" d="M13.8 9.6H20M14.4 4v.1" />
        <path stroke="#d9a520" d="M14.4 20v-6.2M20 14.4h-.1" />
        <path stroke="#d0305c" d="M10.2 14.4H4M9.6 20v-.1" />
      </g>
    </svg>
  );
}

export function Github({ size = 18 }: { size?: number }) {
  return (
    <svg class="brand" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        fill="currentColor"
        d="M12 2a10 10 0 0 0-3.2 19.5c.5.1.7-.2.7-.5v-1.7c-2.8.6-3.4-1.3-3.4-1.3-.4-1.2-1.1-1.5-1.1-1.5-.9-.6.1-.6.1-.6 1 .1 1.5 1 1.5 1 .9 1.5 2.3 1.1 2.9.8.1-.6.4-1.1.6-1.3-2.2-.3-4.6-1.1-4.6-5 0-1.1.4-2 1-2.7-.1-.3-.4-1.3.1-2.7 0 0 .8-.3 2.7 1a9.4 9.4 0 0 1 5 0c1.9-1.3 2.7-1 2.7-1 .5 1.4.2 2.4.1 2.7.6.7 1 1.6 1 2.7 0 3.9-2.3 4.7-4.6 5 .4.3.7.9.7 1.9v2.7c0 .3.2.6.7.5A10 10 0 0 0 12 2Z"
      />
    </svg>
  );
}
