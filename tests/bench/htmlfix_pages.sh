#!/bin/sh
# htmlfix_pages.sh FOLDER: fetches the HTML of some npm packages (templates, demos, tests of
# libraries; about 900 pages out of 270 MB) into FOLDER, for htmlfix.py. Needs npm and tar.
set -eu
[ $# -eq 1 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$1"
cd "$1"
for package in \
    @tabler/preview@1.2.0 @themesberg/volt-bootstrap-5-dashboard@1.4.1 admin-lte@3.2.0 \
    argon-design-system-free@1.2.0 black-dashboard@1.0.0 blk-design-system@1.0.2 \
    codemirror@5.65.21 gentelella@4.2.0 html5-boilerplate@9.0.1 ionicons@4.6.3 \
    jquery-ui@1.12.1 jstree@3.3.17 material-dashboard@3.1.0 material-kit@2.0.4 mathjax@2.7.9 \
    now-ui-dashboard@1.0.1 now-ui-kit@1.3.0 paper-dashboard-2@2.0.0 reveal.js@6.0.2 \
    simple-line-icons@2.5.5 slick-carousel@2.0.0 soft-ui-dashboard@1.0.1 \
    startbootstrap-agency@7.0.12 startbootstrap-clean-blog@6.0.9 \
    startbootstrap-coming-soon@6.0.7 startbootstrap-creative@7.0.7 \
    startbootstrap-freelancer@7.0.7 startbootstrap-grayscale@7.0.6 \
    startbootstrap-landing-page@6.0.6 startbootstrap-modern-business@5.0.7 \
    startbootstrap-new-age@6.0.7 startbootstrap-resume@7.0.6 startbootstrap-sb-admin-2@4.1.4 \
    startbootstrap-sb-admin@7.0.7 startbootstrap-shop-homepage@5.0.6 \
    startbootstrap-stylish-portfolio@6.0.6 swagger-ui-dist@5.35.0 uikit@3.0.0; do
    file=$(npm pack --silent "$package") || { echo "$package: not fetched" >&2; continue; }
    mkdir -p "${file%.tgz}"
    tar -xzf "$file" -C "${file%.tgz}" --wildcards '*.html' '*.htm' 2>/dev/null || true
    rm "$file"
done
echo "$(find . -name '*.htm*' -type f | wc -l) pages"
