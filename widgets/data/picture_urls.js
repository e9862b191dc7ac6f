// Pictures that come as bytes: object URLs for one drawing, let go of at the next.
export function pictureURLs() {
  let urls = [];
  const close = () => urls.forEach((url) => url && URL.revokeObjectURL(url));
  return {
    close,
    // A URL for each of the given bytes, "" for empty ones.
    renew(list) {
      close();
      urls = list.map((bytes) => {
        if (!bytes.byteLength) return "";
        const type = bytes.getUint8(0) === 0x89 ? "image/png" : "image/jpeg";
        return URL.createObjectURL(new Blob([bytes], { type }));
      });
      return urls;
    },
  };
}
