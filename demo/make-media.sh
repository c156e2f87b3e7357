#!/usr/bin/env bash
#
# Makes all the sound and pictures this project needs, out of nothing but
# ffmpeg: every picture is drawn by formula and every tone is computed, so
# there is no third party whose rights would have to be asked for.
#
#   demo/make-media.sh         make everything
#   demo/make-media.sh demo    only the clip of the demo page  (demo/media)
#   demo/make-media.sh test    only the fixtures of the tests  (test/media)
#
# Needs: bash, awk, od, ffmpeg and ffprobe 5 or newer with libx264, libfreetype
# and the built-in AAC encoder, and any one sans serif TrueType font.
# Takes about a minute on two cores. The outcome is committed; run this again
# only to change it. What it makes is removed first, so no stale segment stays.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
demo_dir=$root/demo/media
test_dir=$root/test/media

# What may be committed, in bytes: 5.2 MB and 1.1 MB, less some room for what
# the folders themselves take up.
demo_limit=5180000
test_limit=1100000

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# ---------------------------------------------------------------------------
# Helpers
# ---------------------------------------------------------------------------

say() { printf '%s\n' "$*" >&2; }

# ffmpeg that speaks only when something is wrong, and that leaves version
# strings and dates out of what it writes.
ff() { ffmpeg -nostdin -hide_banner -v error -y "$@"; }
clean=(-map_metadata -1 -fflags +bitexact -flags +bitexact)

# x264 signs its work with some 700 bytes of settings; this takes them out.
unsigned=(-bsf:v filter_units=remove_types=6)

# The first font found, among the usual places, then by fontconfig.
find_font() {
  local file
  for file in \
    /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf \
    /usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf \
    /usr/share/fonts/TTF/DejaVuSans.ttf \
    /usr/share/fonts/dejavu/DejaVuSans.ttf \
    /usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf \
    /usr/share/fonts/liberation-sans/LiberationSans-Regular.ttf \
    /System/Library/Fonts/Supplemental/Arial.ttf \
    /Library/Fonts/Arial.ttf; do
    if [ -f "$file" ]; then printf '%s' "$file"; return; fi
  done
  if command -v fc-match >/dev/null; then
    file=$(fc-match --format='%{file}' 'sans:fontformat=TrueType')
    if [ -f "$file" ]; then printf '%s' "$file"; return; fi
  fi
  say 'No font found: install DejaVu Sans or Liberation Sans.'
  exit 1
}

# The text of the running clock, mm:ss.d, in drawtext's own language. The
# hundredth added keeps frame times such as 0.999999 from showing too early.
clock_text='%{eif:floor((t+0.01)/60):d:2}:%{eif:mod(floor(t+0.01),60):d:2}.%{eif:mod(floor((t+0.01)*10),10):d}'

# The codec names of an MP4 file in the way of RFC 6381, read out of the
# H.264 parameter set itself: avc1.PPCCLL, and mp4a.40.2 where there is sound.
codecs_of() {
  local file=$1 kinds profile list=()
  kinds=$(ffprobe -v error -show_entries stream=codec_name -of csv=p=0 "$file")
  if [[ $kinds == *h264* ]]; then
    # the filter is named, for ffmpeg may take a length of 0x000001xx for a start code
    profile=$(ff -i "$file" -map 0:v:0 -c copy -bsf:v h264_mp4toannexb -frames:v 1 -f h264 - |
      od -An -v -tx1 | tr -d ' \n' | sed -E 's/^0000000167(.{6}).*$/\1/')
    if [[ ! $profile =~ ^[0-9a-f]{6}$ ]]; then say "No H.264 profile found in $file."; return 1; fi
    list+=("avc1.$profile")
  fi
  if [[ $kinds == *aac* ]]; then list+=(mp4a.40.2); fi
  (IFS=,; printf '%s' "${list[*]}")
}

# "peak average" bit rates of a media playlist, from the real sizes of its
# segments. As RFC 8216 has it, a segment shorter than half the target
# duration does not count for the peak.
rates_of() {
  local playlist=$1 dir line duration='' size='' target=0
  dir=$(dirname "$playlist")
  while IFS= read -r line; do
    case $line in
      '#EXT-X-TARGETDURATION:'*) target=${line#*:} ;;
      '#EXTINF:'*) duration=${line#*:}; duration=${duration%%,*} ;;
      '#EXT-X-BYTERANGE:'*) size=${line#*:}; size=${size%%@*} ;;
      '#'* | '') ;;
      *)
        printf '%s %s %s\n' "$target" "$duration" "${size:-$(wc -c <"$dir/$line")}"
        size=''
        ;;
    esac
  done <"$playlist" | awk '
    function up(x) { return x == int(x) ? x : int(x) + 1 }
    { bits += $3 * 8; time += $2; rate = $3 * 8 / $2 }
    $2 >= $1 / 2 && rate > peak { peak = rate }
    END { printf "%d %d", up(peak), up(bits / time) }'
}

# The beginning of a multivariant playlist.
begin_main() { printf '#EXTM3U\n#EXT-X-VERSION:%s\n#EXT-X-INDEPENDENT-SEGMENTS\n' "$2" >"$1"; }

# add_variant main.m3u8 name.m3u8 source.mp4 [more attributes [audio.m3u8 ...]]
# Adds one variant with attributes that are all measured, none guessed. Where
# the sound is a playlist of its own, the most costly one is counted in.
add_variant() {
  local main=$1 uri=$2 source=$3 more=${4-} dir peak average p a ap=0 aa=0 size fps codecs
  shift $(($# < 4 ? $# : 4))
  dir=$(dirname "$main")
  read -r peak average <<<"$(rates_of "$dir/$uri")"
  codecs=$(codecs_of "$source")
  for sound in "$@"; do
    read -r p a <<<"$(rates_of "$dir/$sound")"
    if [ "$p" -gt "$ap" ]; then ap=$p; fi
    if [ "$a" -gt "$aa" ]; then aa=$a; fi
  done
  if [ $# -gt 0 ]; then codecs=$codecs,mp4a.40.2; fi
  size=$(ffprobe -v error -select_streams v -show_entries stream=width,height -of csv=p=0:s=x "$source")
  fps=$(ffprobe -v error -select_streams v -show_entries stream=r_frame_rate -of csv=p=0 "$source" |
    awk -F/ '{ printf "%.3f", $1 / $2 }')
  printf '#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,RESOLUTION=%s,FRAME-RATE=%s,CODECS="%s"%s\n%s\n' \
    $((peak + ap)) $((average + aa)) "$size" "$fps" "$codecs" "${more:+,$more}" "$uri" >>"$main"
}

# hls source.mp4 playlist seconds segment-pattern [more options]
# Cuts a file, whose key frames already stand where the cuts shall be, into
# HLS. Run it inside the target folder: then all addresses are relative.
hls() {
  local source=$1 playlist=$2 seconds=$3 pattern=$4
  shift 4
  ff -i "$source" -map 0 -c copy "${clean[@]}" -f hls -hls_time "$seconds" -hls_list_size 0 \
    -hls_playlist_type vod -hls_flags +independent_segments \
    -hls_segment_filename "$pattern" "$@" "$playlist"
}

# MPEG-TS says ten times a second what it carries; once a segment is enough
# for HLS, and these streams are so thin that it matters.
thin=(-hls_segment_options "pat_period=60:sdt_period=60")

# The total size of the files in a folder, in bytes.
weigh() { find "$1" -type f -exec cat {} + | wc -c | tr -d ' '; }

check_size() {
  local name=$1 dir=$2 limit=$3 size
  size=$(weigh "$dir")
  say "$name: $size bytes in $(find "$dir" -type f | wc -l | tr -d ' ') files (limit $limit)"
  if [ "$size" -gt "$limit" ]; then say "$name is too large."; exit 1; fi
}

# ---------------------------------------------------------------------------
# The demo clip: daybreak over the hills, two balloons, 45 seconds
# ---------------------------------------------------------------------------

seconds=45

# still name WxH red green blue alpha
# Draws one picture by formula, once. Slow per pixel, but there are only a few
# and they are then merely moved about.
still() {
  ff -f lavfi -i "nullsrc=s=$2:r=1:d=1,format=gbrap,geq=r='$3':g='$4':b='$5':a='$6'" \
    -frames:v 1 "$tmp/$1.png"
}

# ridge name height-of-the-crest R G B R G B depth
# A range of hills: the first colour at the crest melts into the second one,
# the mist at its feet, within so many lines.
ridge() {
  local m="st(1,clip((Y-($2))/$9,0,1))"
  still "$1" 2560x720 "$m;$3+($6-$3)*ld(1)" "$m;$4+($7-$4)*ld(1)" "$m;$5+($8-$5)*ld(1)" \
    "clip((Y-($2))*200+128,0,255)"
}

# trees spacing least-height more-height seed
# Part of a formula: a row of firs, each of another height, standing on the
# ground line. Register 6 keeps how much of the pixel is covered.
trees() {
  local ground='655-26*sin(ld(2)/349+4)-10*sin(ld(2)/151)'
  printf '%s' \
    "st(0,floor(X/$1));" \
    "st(1,abs(sin(ld(0)*12.9898+$4)*43758.5453));st(1,ld(1)-floor(ld(1)));" \
    "st(2,(ld(0)+.35+.3*ld(1))*$1);" \
    "st(3,$2+$3*ld(1));" \
    "st(4,Y-($ground+10-ld(3)));" \
    "st(5,min($1*.34,ld(4)*.2*(.62+.6*mod(ld(4),15)/15))+.6);" \
    "st(6,max(ld(6),gt(ld(4),0)*lt(ld(4),ld(3))*clip(ld(5)-abs(X-ld(2))+.5,0,1)))"
}

# sky_channel eight values
# Part of a formula: one colour channel of a sky from night (top) to day.
sky_channel() {
  printf '%s' "if(lt(Y,450),$1+($2-$1)*Y/450," \
    "if(lt(Y,760),$2+($3-$2)*(Y-450)/310," \
    "if(lt(Y,980),$3+($4-$3)*(Y-760)/220," \
    "if(lt(Y,1130),$4+($5-$4)*(Y-980)/150," \
    "if(lt(Y,1270),$5+($6-$5)*(Y-1130)/140," \
    "if(lt(Y,1420),$6+($7-$6)*(Y-1270)/150," \
    "$7+($8-$7)*(Y-1420)/180))))))"
}

# cloud x y width height strength
# Part of a formula: one soft streak.
cloud() { printf '%s' "exp(-pow((X-$1)/$3,2)-pow((Y-$2)/$4,2))*$5"; }

# balloon name red green blue
# A hot-air balloon with stripes, a basket and two ropes, lit from the right.
balloon() {
  local x='(X-80)/4' y='(Y-80)/4' pre
  pre="st(1,$y);"
  # distance to the edge of the envelope: a ball above, a funnel below
  pre+="st(2,if(lt(ld(1),6),hypot($x,ld(1))-18,abs($x)-(17.1-(ld(1)-6)*.62)));"
  pre+="st(3,clip(.5-ld(2)*4,0,1)*lt(ld(1),24));"
  # the stripe, by the angle around the upright axis
  pre+="st(4,asin(clip($x/(18.2*sqrt(max(.05,1-pow(clip((ld(1)-2)/27,-.75,.97),2)))),-1,1))/PI*7+.5);"
  pre+="st(5,mod(floor(ld(4)+8),2));"
  # light, basket, ropes
  pre+="st(6,.8+.26*clip((X-80)/72,-1,1)-.1*ld(1)/24);"
  pre+="st(7,gt(ld(1),29)*lt(ld(1),35)*lt(abs($x),3.4));"
  pre+="st(8,gt(ld(1),23)*lt(ld(1),30)*lt(abs(abs($x)-(5.4-(ld(1)-23)*.34)),.35))"
  still "$1" 160x240 \
    "$pre;if(ld(7)+ld(8),74,clip(ld(6)*if(ld(5),$2,255),0,255))" \
    "$pre;if(ld(7)+ld(8),48,clip(ld(6)*if(ld(5),$3,236),0,255))" \
    "$pre;if(ld(7)+ld(8),52,clip(ld(6)*if(ld(5),$4,208),0,255))" \
    "$pre;255*max(ld(3),max(ld(7),ld(8)))"
}

draw_stills() {
  local ground='655-26*sin(X/349+4)-10*sin(X/151)' far
  # hills, from the farthest to the nearest
  ridge hills1 '400-46*sin(X/173+1)-30*sin(X/71+2.2)-16*abs(sin(X/47))-9*sin(X/23+1)' \
    168 128 166 250 200 178 190
  ridge hills2 '455-38*sin(X/211+3.1)-22*sin(X/97+.6)-8*sin(X/39)' 128 104 158 226 170 172 190
  ridge hills3 '515-34*sin(X/263+.4)-20*sin(X/121+2)-4*sin(X/43+1)' 88 84 142 176 136 162 190
  ridge hills4 '580-36*sin(X/307+2.2)-16*sin(X/137+.9)' 52 60 112 106 98 142 180
  # the wood in front
  still wood 2560x720 20 26 56 \
    "st(6,clip((Y-($ground))+.5,0,1));$(trees 61 70 80 1);$(trees 37 34 50 5);255*ld(6)"
  # a sky much taller than the screen, along which the view sinks to the day
  still sky 64x1600 \
    "$(sky_channel 10 24 62 128 222 250 254 255)" \
    "$(sky_channel 14 30 50 78 120 174 220 240)" \
    "$(sky_channel 44 80 116 140 144 128 160 206)" 255
  # stars, fewer towards the horizon
  still stars 1280x460 255 250 235 "st(0,floor(X/2));st(1,floor(Y/2));\
st(2,abs(sin(ld(0)*12.9898+ld(1)*78.233)*43758.5453));st(2,ld(2)-floor(ld(2)));\
gt(ld(2),.9975)*(ld(2)-.9975)/.0025*255*clip(1.15-Y/460,0,1)"
  # the sun: a pale disc in a wide warm glow
  far='st(0,hypot(X-350,Y-350))'
  still sun 700x700 255 "$far;if(lt(ld(0),58),246,206)" "$far;if(lt(ld(0),58),214,140)" \
    "$far;max(clip((56-ld(0))*100+128,0,255),235*pow(clip(1-(ld(0)-40)/310,0,1),2.6))"
  still clouds 2560x360 255 206 196 "st(0,$(cloud 300 210 260 9 .8)+$(cloud 420 226 180 6 .6)\
+$(cloud 980 130 330 10 .6)+$(cloud 860 146 200 6 .7)+$(cloud 1480 240 300 8 .8)\
+$(cloud 1620 256 220 5 .7)+$(cloud 2050 160 330 9 .6)+$(cloud 2200 178 200 6 .6));150*clip(ld(0),0,1)"
  balloon red 226 74 70
  balloon blue 44 120 156
}

# Puts the pictures one before the other and moves the nearer ones faster. All
# is done at twice the size and then halved, so that slow things do not jerk.
# The hills are drawn as they look by day; a darker copy of the far ones and,
# over all, a veil of night fade away while the sun comes up.
compose() {
  local still='format=yuva444p,loop=-1:1:0,setpts=N/25/TB' over='overlay=format=yuv444'
    ff -f lavfi -i "color=black:s=1280x720:r=25:d=$seconds,format=yuv444p" \
    -i "$tmp/sky.png" -i "$tmp/stars.png" -i "$tmp/sun.png" -i "$tmp/clouds.png" \
    -i "$tmp/hills1.png" -i "$tmp/hills2.png" -i "$tmp/hills3.png" -i "$tmp/hills4.png" \
    -i "$tmp/wood.png" -i "$tmp/blue.png" -i "$tmp/red.png" -filter_complex "
    [1]scale=1280:1600,format=yuva444p[sky];
    [2]$still,fade=out:st=4:d=19:alpha=1[stars];
    [4]$still,fade=in:st=3:d=18:alpha=1[clouds];
    [5]split[hills1][copy1];
    [6]split[hills2][copy2];
    [7]split[hills3][copy3];
    [copy1]format=rgba,lutrgb=r=val*.48:g=val*.50:b=val*.80,$still,fade=out:st=2:d=31:alpha=1[dusk1];
    [copy2]format=rgba,lutrgb=r=val*.40:g=val*.42:b=val*.68,$still,fade=out:st=2:d=31:alpha=1[dusk2];
    [copy3]format=rgba,lutrgb=r=val*.36:g=val*.42:b=val*.60,$still,fade=out:st=2:d=31:alpha=1[dusk3];
    [10]scale=80:120:flags=area,format=yuva444p[blue];
    [11]scale=120:180:flags=area,format=yuva444p[red];
    color=0x0c1440@0.34:s=1280x720:r=25:d=$seconds,format=yuva444p,fade=out:st=0:d=30:alpha=1[night];
    [0][sky]$over:y='-310-570*(.5-.5*cos(PI*t/$seconds))'[a];
    [a][stars]$over:y='-t*1.5'[b];
    [b][3]$over:x=460:y='630-350-(t-4)*8.6'[c];
    [c][clouds]$over:x='-80-n*.2':y=30[d];
    [d][hills1]$over:x='-n*.2'[e];
    [e][dusk1]$over:x='-n*.2'[f];
    [f][blue]$over:x='190+n*.1':y='470-(t-8)*8+5*sin(t*.7)'[g];
    [g][hills2]$over:x='-n*.333'[h];
    [h][dusk2]$over:x='-n*.333'[i];
    [i][hills3]$over:x='-n*.5'[j];
    [j][dusk3]$over:x='-n*.5'[k];
    [k][red]$over:x='730-n*.25':y='640-(t-5)*12.5+6*sin(t*.6)'[l];
    [l][8]$over:x='-n*.75'[m];
    [m][night]$over[o];
    [o][9]$over:x='-n',scale=640:360:flags=area:in_color_matrix=bt601:out_color_matrix=bt709,format=yuv420p[v]" \
    -map '[v]' -t "$seconds" -c:v libx264 -qp 0 -preset ultrafast "$tmp/scene.mkv"
}

# chord number start f1 f2 f3 f4 f5
# One chord of sine tones, each swelling at a pace of its own, the right side
# a shade higher than the left; twelve seconds with long fades.
chord() {
  local name=$1 start=$2 left='' right='' i=0 f
  shift 2
  for f in "$@"; do
    i=$((i + 1))
    local level="(.66+.34*sin(2*PI*t*(.07+.031*$i)+$i))/(1+.22*$i)"
    left+="${left:++}sin(2*PI*t*$f)*$level+.16*sin(4*PI*t*$f)*$level"
    right+="${right:++}sin(2*PI*t*$f*1.0026+$i)*$level+.16*sin(4*PI*t*$f*1.0026)*$level"
  done
  ff -f lavfi -i "aevalsrc='.08*($left)|.08*($right)':s=48000:d=12" -af \
    "afade=in:d=3:curve=qsin,afade=out:st=9:d=3:curve=qsin,adelay=${start}s:all=1" "$tmp/chord$name.wav"
}

# Five chords, one every nine seconds, a little room around them, and a soft
# tick on every full second, brighter on every fifteenth. About -20 LUFS.
compose_sound() {
  chord 1 0 130.81 196.00 293.66 329.63 493.88 &
  chord 2 9 110.00 164.81 261.63 392.00 493.88 &
  chord 3 18 87.31 174.61 220.00 329.63 392.00 &
  wait
  chord 4 27 98.00 146.83 261.63 293.66 440.00 &
  chord 5 36 130.81 196.00 293.66 329.63 392.00 &
  wait
  local m='mod(t+.0001,1)'
  local tick="(sin(2*PI*$m*if(lt(mod(t+.0001,15),1),1760,1175))+.4*sin(2*PI*$m*2637))*exp(-$m*60)*min($m*800,1)*.1"
  ff -i "$tmp/chord1.wav" -i "$tmp/chord2.wav" -i "$tmp/chord3.wav" -i "$tmp/chord4.wav" \
    -i "$tmp/chord5.wav" -f lavfi -i "aevalsrc='$tick|$tick':s=48000:d=$seconds" -filter_complex "
    [0][1][2][3][4]amix=5:duration=longest:normalize=0,
    lowpass=f=2600,aecho=.9:.7:97|173|311:.28|.22|.16[pad];
    [pad][5]amix=2:duration=longest:normalize=0,
    atrim=0:$seconds,afade=in:d=0.4,afade=out:st=$((seconds - 2)):d=2,volume=5.8dB[a]" \
    -map '[a]' "$tmp/sound.wav"
  # one encoding for all, so that a change of rendition cannot be heard
  ff -i "$tmp/sound.wav" "${clean[@]}" -c:a aac -b:a 48k -ac 2 "$tmp/sound.m4a"
}

# rendition name width height video-kbit/s profile label
# Writes the name and the clock into the picture and encodes it in two passes,
# a key frame every third second and nowhere else, to $tmp/name.mp4. One thread
# each, for with more of them x264 does not do the same twice.
rendition() {
  local name=$1 width=$2 height=$3 rate=$4 profile=$5 label=$6
  printf '%s' "$label" >"$tmp/$name.txt"
  local shadow="fontcolor=white:fontfile='$font':bordercolor=0x10143a@0.45:borderw=$((height / 170))"
  local video="scale=$width:$height:flags=lanczos,
    drawtext=$shadow:textfile='$tmp/clock.txt':fontsize=h/6.2:x=h*.07:y=h-h*.085-ascent,
    drawtext=$shadow:textfile='$tmp/$name.txt':fontsize=h/14.5:x=w-tw-h*.07:y=h*.07"
  local options=(-c:v libx264 -threads 1 -preset slow -profile:v "$profile" -b:v "${rate}k"
    -maxrate "$((rate * 17 / 10))k" -bufsize "$((rate * 3))k" -g 75 -keyint_min 75 -sc_threshold 0
    -pix_fmt yuv420p -color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv
    -x264-params open-gop=0:aq-mode=3:deblock=1,1 -passlogfile "$tmp/$name")
  ff -i "$tmp/scene.mkv" -vf "$video" "${options[@]}" -pass 1 -f null -
  ff -i "$tmp/scene.mkv" -i "$tmp/sound.m4a" -map 0:v -map 1:a -vf "$video" "${clean[@]}" \
    "${options[@]}" -pass 2 -c:a copy "${unsigned[@]}" "$tmp/$name.mp4"
}

make_demo() {
  say 'Drawing the scene ...'
  draw_stills
  compose
  say 'Playing the chords ...'
  compose_sound
  say 'Encoding three renditions ...'
  printf '%s' "$clock_text" >"$tmp/clock.txt"
  local jobs=() job
  rendition 360p 640 360 280 high '360p · 0.4 Mbit/s' &
  jobs+=($!)
  rendition 270p 480 270 136 high '270p · 0.2 Mbit/s' &
  jobs+=($!)
  rendition 180p 320 180 60 main '180p · 0.15 Mbit/s' &
  jobs+=($!)
  for job in "${jobs[@]}"; do wait "$job"; done

  rm -rf "$demo_dir/hls" "$demo_dir/clip.mp4"
  mkdir -p "$demo_dir/hls"
  cd "$demo_dir/hls"
  local name
  begin_main main.m3u8 4
  for name in 360p 270p 180p; do
    hls "$tmp/$name.mp4" "$name.m3u8" 3 "$name-%02d.ts" "${thin[@]}"
    add_variant main.m3u8 "$name.m3u8" "$tmp/$name.mp4"
  done
  ff -i "$tmp/270p.mp4" -map 0 -c copy "${clean[@]}" -movflags +faststart "$demo_dir/clip.mp4"
  cd "$root"
  check_size 'demo/media' "$demo_dir" "$demo_limit"
}

# ---------------------------------------------------------------------------
# The fixtures of the tests: twelve tiny seconds in every way of packing
# ---------------------------------------------------------------------------

test_seconds=12
test_fps=15
# The sound ends a little early, lest its last 21 ms make a segment of their own.
test_sound=11.9

# tiny name width height video-kbit/s sound-Hz first-colour second-colour
# A slow gradient with its name and a clock, and a tone with a beep each
# second; H.264 Main and AAC, a key frame every second second, to $tmp/name.mp4.
# No B-frames: so the first picture stands at zero in every container, whether
# or not a player heeds edit lists.
tiny() {
  local name=$1 width=$2 height=$3 rate=$4 pitch=$5
  printf '%s' "$clock_text" >"$tmp/clock.txt"
  printf '%s' "$name" >"$tmp/tiny.txt"
  local text="fontcolor=white:fontfile='$font':bordercolor=black@0.5:borderw=1"
  ff -f lavfi -i "gradients=s=${width}x$height:r=$test_fps:d=$test_seconds:n=2:c0=$6:c1=$7:x0=0:y0=0:x1=$width:y1=$height:speed=0.006:seed=1" \
    -f lavfi -i "sine=frequency=$pitch:beep_factor=4:sample_rate=48000:duration=$test_sound" \
    -vf "drawtext=$text:textfile='$tmp/tiny.txt':fontsize=h/5:x=h*.08:y=h*.08,
      drawtext=$text:textfile='$tmp/clock.txt':fontsize=h/4:x=h*.08:y=h-h*.1-ascent,format=yuv420p" \
    -c:v libx264 -threads 1 -preset slow -profile:v main -level 1.3 -bf 0 -b:v "${rate}k" -maxrate "$((rate * 2))k" -bufsize "$((rate * 2))k" \
    -g $((test_fps * 2)) -keyint_min $((test_fps * 2)) -sc_threshold 0 -x264-params open-gop=0 "${unsigned[@]}" \
    -c:a aac -b:a 16k -ac 1 -af volume=0.4 "${clean[@]}" "$tmp/$name.mp4"
}

# vtt file mpegts then lines "from to text"
# A WebVTT segment, its clock tied to that of the transport stream.
vtt() {
  local file=$1 mpegts=$2 from to text
  {
    printf 'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:%s,LOCAL:00:00:00.000\n' "$mpegts"
    while read -r from to text; do
      printf '\n00:00:%s --> 00:00:%s\n%s\n' "$from" "$to" "$text"
    done
  } >"$file"
}

# fresh folder: makes it empty and goes there
fresh() {
  rm -rf "${test_dir:?}/$1"
  mkdir -p "$test_dir/$1"
  cd "$test_dir/$1"
}

# box_of file fourcc: "offset size" of the first top-level MP4 box of that kind
box_of() {
  local file=$1 kind=$2 at=0 end size name
  end=$(wc -c <"$file")
  while [ "$at" -lt "$end" ]; do
    size=$((16#$(od -An -v -tx1 -j "$at" -N 4 "$file" | tr -d ' \n')))
    name=$(dd if="$file" bs=1 skip=$((at + 4)) count=4 2>/dev/null)
    if [ "$name" = "$kind" ]; then printf '%s %s\n' "$at" "$size"; return; fi
    if [ "$size" -lt 8 ]; then break; fi
    at=$((at + size))
  done
  say "No $kind box in $file."
  return 1
}

# rate_of_file: the average bit rate of a test file
rate_of_file() { printf '%d' $(($(wc -c <"$1") * 8 / test_seconds)); }

# segment_base: the element that tells where a file has its head and its index
segment_base() {
  local box sidx size
  box=$(box_of "$1" sidx)
  read -r sidx size <<<"$box"
  printf '\t\t\t\t<SegmentBase indexRange="%d-%d">\n' "$sidx" $((sidx + size - 1))
  printf '\t\t\t\t\t<Initialization range="0-%d" />\n\t\t\t\t</SegmentBase>' $((sidx - 1))
}

make_test() {
  say 'Encoding the test pictures ...'
  tiny high 160 90 40 440 0x1b4f72 0x7d3c98
  tiny low 128 72 17 440 0x145a32 0x7d6608
  ff -f lavfi -i "sine=frequency=660:beep_factor=4:sample_rate=48000:duration=$test_sound" \
    -af volume=0.4 -c:a aac -b:a 16k -ac 1 "${clean[@]}" "$tmp/german.mp4"

  say 'ts: HLS, MPEG-TS, two renditions'
  fresh ts
  begin_main main.m3u8 4
  local name
  for name in high low; do
    hls "$tmp/$name.mp4" "$name.m3u8" 2 "$name-%d.ts" "${thin[@]}"
    add_variant main.m3u8 "$name.m3u8" "$tmp/$name.mp4"
  done

  say 'fmp4: HLS, fragmented MP4, one rendition'
  fresh fmp4
  hls "$tmp/low.mp4" low.m3u8 2 'low-%d.m4s' -hls_segment_type fmp4 -hls_fmp4_init_filename low-init.mp4
  begin_main main.m3u8 7
  add_variant main.m3u8 low.m3u8 "$tmp/low.mp4"

  say 'byterange: HLS, all fragments in one MP4 file'
  fresh byterange
  hls "$tmp/low.mp4" low.m3u8 2 low.mp4 -hls_segment_type fmp4 -hls_flags +single_file+independent_segments
  begin_main main.m3u8 7
  add_variant main.m3u8 low.m3u8 "$tmp/low.mp4"

  say 'aes: HLS, MPEG-TS, AES-128 (the key is no secret: it reads "edge-select-key!")'
  fresh aes
  printf 'edge-select-key!' >key.bin
  printf 'key.bin\n%s\n' "$PWD/key.bin" >"$tmp/keyinfo"
  hls "$tmp/low.mp4" low.m3u8 2 'low-%d.ts' "${thin[@]}" -hls_key_info_file "$tmp/keyinfo"
  begin_main main.m3u8 4
  add_variant main.m3u8 low.m3u8 "$tmp/low.mp4"

  say 'audio: HLS, fragmented MP4, the sound apart and in two languages'
  fresh audio
  ff -i "$tmp/low.mp4" -map 0:v -c copy "${clean[@]}" "$tmp/video-only.mp4"
  ff -i "$tmp/low.mp4" -map 0:a -c copy "${clean[@]}" "$tmp/english.mp4"
  hls "$tmp/video-only.mp4" video.m3u8 2 'video-%d.m4s' -hls_segment_type fmp4 -hls_fmp4_init_filename video-init.mp4
  for name in english german; do
    hls "$tmp/$name.mp4" "$name.m3u8" 2 "$name-%d.m4s" -hls_segment_type fmp4 -hls_fmp4_init_filename "$name-init.mp4"
  done
  begin_main main.m3u8 7
  cat >>main.m3u8 <<'END'
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="english.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="1",URI="german.m3u8"
END
  add_variant main.m3u8 video.m3u8 "$tmp/video-only.mp4" 'AUDIO="sound"' english.m3u8 german.m3u8

  say 'subtitles: HLS, the pictures of ts/ with WebVTT segments'
  fresh subtitles
  # where the clock of the transport stream stands at the first picture
  local first
  first=$(ffprobe -v error -select_streams v -show_entries packet=pts -of csv=p=0 ../ts/low-0.ts |
    grep -oE '^[0-9]+' | sort -n | head -n 1)
  vtt english-0.vtt "$first" <<'END'
00.500 02.500 First subtitle, at half a second
03.000 05.500 Second subtitle, at three seconds
END
  vtt english-1.vtt "$first" <<'END'
06.000 08.500 Third subtitle, at six seconds
09.000 11.500 Fourth subtitle, at nine seconds
END
  cat >english.m3u8 <<'END'
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:6.000000,
english-0.vtt
#EXTINF:6.000000,
english-1.vtt
#EXT-X-ENDLIST
END
  begin_main main.m3u8 4
  cat >>main.m3u8 <<'END'
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,URI="english.m3u8"
END
  add_variant main.m3u8 ../ts/high.m3u8 "$tmp/high.mp4" 'SUBTITLES="subtitles"'
  add_variant main.m3u8 ../ts/low.m3u8 "$tmp/low.mp4" 'SUBTITLES="subtitles"'

  say 'dash: MPEG-DASH, SegmentTemplate'
  fresh dash
  # shellcheck disable=SC2016  # the dollars are for ffmpeg
  ff -i "$tmp/low.mp4" -map 0:v -map 0:a -c copy "${clean[@]}" -f dash -seg_duration 2 \
    -use_template 1 -use_timeline 1 -adaptation_sets 'id=0,streams=v id=1,streams=a' \
    -init_seg_name '$RepresentationID$-init.mp4' -media_seg_name '$RepresentationID$-$Number$.m4s' manifest.mpd
  # ffmpeg numbers the tracks; names are kinder to those who read a network log
  local file
  sed -e 's/<Representation id="0"/<Representation id="video"/' \
    -e 's/<Representation id="1"/<Representation id="audio"/' manifest.mpd >"$tmp/manifest.mpd"
  cat "$tmp/manifest.mpd" >manifest.mpd
  for file in 0-*; do mv "$file" "video-${file#*-}"; done
  for file in 1-*; do mv "$file" "audio-${file#*-}"; done

  say 'dash-sidx: MPEG-DASH on demand, one file a track, SegmentBase'
  fresh dash-sidx
  # shellcheck disable=SC2016
  ff -i "$tmp/low.mp4" -map 0:v -map 0:a -c copy "${clean[@]}" -f dash -seg_duration 2 \
    -single_file 1 -global_sidx 1 -single_file_name '$RepresentationID$.mp4' \
    -adaptation_sets 'id=0,streams=v id=1,streams=a' manifest.mpd
  mv 0.mp4 video.mp4
  mv 1.mp4 audio.mp4
  # ffmpeg lists the segments in the manifest although it has written a real
  # index (sidx) into the files; here is a manifest that points to the index
  local video_codec audio_codec video_rate audio_rate video_base audio_base
  video_codec=$(codecs_of "$tmp/video-only.mp4")
  audio_codec=$(codecs_of "$tmp/english.mp4")
  video_rate=$(rate_of_file video.mp4)
  audio_rate=$(rate_of_file audio.mp4)
  video_base=$(segment_base video.mp4)
  audio_base=$(segment_base audio.mp4)
  cat >manifest.mpd <<END
<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" type="static" mediaPresentationDuration="PT$test_seconds.0S" minBufferTime="PT4.0S">
	<Period id="0" start="PT0.0S">
		<AdaptationSet id="0" contentType="video" subsegmentAlignment="true" subsegmentStartsWithSAP="1" frameRate="$test_fps/1" par="16:9">
			<Representation id="video" mimeType="video/mp4" codecs="$video_codec" bandwidth="$video_rate" width="128" height="72" sar="1:1">
				<BaseURL>video.mp4</BaseURL>
$video_base
			</Representation>
		</AdaptationSet>
		<AdaptationSet id="1" contentType="audio" lang="en" subsegmentAlignment="true" subsegmentStartsWithSAP="1">
			<Representation id="audio" mimeType="audio/mp4" codecs="$audio_codec" bandwidth="$audio_rate" audioSamplingRate="48000">
				<AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="1" />
				<BaseURL>audio.mp4</BaseURL>
$audio_base
			</Representation>
		</AdaptationSet>
	</Period>
</MPD>
END

  say 'clip.mp4: progressive'
  cd "$test_dir"
  ff -i "$tmp/low.mp4" -map 0 -c copy "${clean[@]}" -movflags +faststart clip.mp4
  cd "$root"
  check_size 'test/media' "$test_dir" "$test_limit"
}

# ---------------------------------------------------------------------------

font=$(find_font)
case ${1-all} in
  all)
    make_demo
    make_test
    ;;
  demo) make_demo ;;
  test) make_test ;;
  *)
    say "Usage: ${0##*/} [all|demo|test]"
    exit 2
    ;;
esac
