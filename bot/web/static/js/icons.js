// The icons, as paths on a 24 by 24 grid. All are decoration: the words stand beside them or in a label.

const PATHS = {
  hash: "M9 4 7 20M17 4l-2 16M4 9h16M3.500 15h16",
  at: "M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0Zm0 0v1.500a2.500 2.500 0 0 0 5 0V12a9 9 0 1 0-3.600 7.200",
  send: "M5 12h13M12 5l7 7-7 7",
  stop: "M7 7h10v10H7z",
  clip: "m20 11-8.500 8.500a5 5 0 0 1-7-7L13 4a3.400 3.400 0 0 1 4.800 4.800l-8.500 8.500a1.700 1.700 0 0 1-2.400-2.400L14.500 7",
  close: "M6 6l12 12M18 6 6 18",
  check: "m5 12.500 4.500 4.500L19 7.500",
  clock: "M12 7v5.200l3.400 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  bell: "M6 9.500a6 6 0 0 1 12 0c0 5.500 2.200 7 2.200 7H3.800S6 15 6 9.500M10 20a2.200 2.200 0 0 0 4 0",
  home: "m4 11 8-7 8 7v8.500a.5.5 0 0 1-.5.5H15v-6H9v6H4.500a.5.5 0 0 1-.5-.5Z",
  inbox: "M4 13.500 6.600 5h10.800L20 13.500M4 13.500V19h16v-5.500h-5a3 3 0 0 1-6 0Z",
  reply: "M20 15.500a2 2 0 0 1-2 2H9l-5 3.500V6.500a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2Z",
  menu: "M4 7h16M4 12h16M4 17h16",
  back: "M19 12H5M12 5l-7 7 7 7",
  down: "M12 5v14M5 12l7 7 7-7",
  alert: "M12 9v4.500M12 17v.01M10.400 4.200 2.700 17.700A1.800 1.800 0 0 0 4.300 20.400h15.400a1.800 1.800 0 0 0 1.600-2.700L13.600 4.200a1.800 1.800 0 0 0-3.200 0Z",
  no: "M5.700 5.700l12.600 12.600M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  info: "M12 11v5.500M12 7.600v.01M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  file: "M13 3H7a1.500 1.500 0 0 0-1.500 1.500v15A1.500 1.500 0 0 0 7 21h10a1.500 1.500 0 0 0 1.500-1.500V8.500ZM13 3v5.500h5.500",
  link: "M10 14a4.500 4.500 0 0 0 6.500.3l3-3a4.500 4.500 0 0 0-6.400-6.400l-1.300 1.300M14 10a4.500 4.500 0 0 0-6.500-.3l-3 3a4.500 4.500 0 0 0 6.400 6.400l1.300-1.300",
  eyes: "M2 12s3.600-6.500 10-6.500S22 12 22 12s-3.600 6.500-10 6.500S2 12 2 12Zm13 0a3 3 0 1 1-6 0 3 3 0 0 1 6 0Z",
  right: "m9 6 6 6-6 6",
  book: "M5 4.500A1.500 1.500 0 0 1 6.500 3H19v15H6.500A1.500 1.500 0 0 0 5 19.500m0-15v15m0 0A1.500 1.500 0 0 0 6.500 21H19v-3",
  leave: "M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15.500 16.500 20 12l-4.500-4.500M20 12H9.500",
  smile: "M8.500 14.500a4.500 4.500 0 0 0 7 0M9 9.500v.01M15 9.500v.01M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  "thumb-up": "M7 10.500 11 3.500a2.200 2.200 0 0 1 2.300 2.700L12.600 9.500H18a2 2 0 0 1 2 2.400l-1.200 6a2 2 0 0 1-2 1.600H7m0-9v9m0-9H4.500v9H7",
  "thumb-down": "M17 13.500 13 20.500a2.200 2.200 0 0 1-2.300-2.700l.700-3.300H6a2 2 0 0 1-2-2.400l1.200-6a2 2 0 0 1 2-1.600H17m0 9v-9m0 9h2.500v-9H17",
  dots: "M12 12v.01M19 12v.01M5 12v.01",
  copy: "M9 9h10.500v10.500H9ZM15 9V4.500H4.500V15H9",
  sliders: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.800v4.400M9 14.800v4.400",
  spark: "M12 3.500l1.900 5.600 5.600 1.900-5.600 1.900L12 18.500l-1.900-5.600L4.500 11l5.600-1.900Z",
};
const MARK = "M16 5.700a2.700 2.700 0 1 0 0 5.400 2.700 2.700 0 0 0 0-5.400ZM16 11.200V25.200M11 15.200h10M7.200 18.400c.5 4.200 4 6.800 8.800 6.800s8.300-2.600 8.800-6.800";
const SVG = "http://www.w3.org/2000/svg";

function drawing(size, line, className) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", line);
  svg.append(path);
  return svg;
}

/** An icon, 1.25 em unless CSS says otherwise. */
export const icon = (name) => drawing(24, PATHS[name], `icon icon-${name}`);

/** Bosun's anchor, as large as what holds it. */
export const mark = () => drawing(32, MARK, "mark");
